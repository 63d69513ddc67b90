import { Buffer } from 'node:buffer';
import type { Envelope } from '../actor/envelope.ts';
import type { Standing } from '../durable/change-reminder.ts';
import { isNotNow } from '../durable/not-now.ts';
import { MOST_REMINDERS, type Reminder } from '../durable/reminder.ts';
import { type FixedSchedule, firstDueAtMs, following, type Run, runUntil } from '../durable/schedule.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { dueTimes, type Fired } from './due-times.ts';
import type { LocalAgents } from './local-agents.ts';
import { sameData } from './ownership.ts';
import { agentOf, type ReminderStore, reminderCopy, type Writer } from './reminder-copy.ts';
import { agentKey, parseReminderKey, reminderKey } from './subject.ts';

/** A due time is given up when its handler has failed so often. */
const TRIES = 8;
/** Before each further try, doubled. */
const BACKOFF_MS = [100, 10_000] as const;

/** Of an activation that declares reminders. */
export interface Declarer extends Writer {
  readonly type: string;
  readonly id: string;
}
export interface Declaration {
  readonly name: string;
  readonly schedule: FixedSchedule;
  /** Encoded. */
  readonly message: Uint8Array;
}
/** A reminder as operators see it. */
export interface ReminderView {
  readonly name: string;
  readonly schedule: FixedSchedule;
  readonly dueAtMs: number;
  /** Null: not yet. */
  readonly firedAtMs: number | null;
}

/** Reminders are kept in the store, followed by every node, and fired by the one that owns their agent. */
export interface Reminders {
  /** Resolves once it is stored; one that was declared alike stays as it is. @throws NexaError `quota-exceeded`, `fenced`. */
  declare(by: Declarer, declaration: Declaration): Promise<void>;
  /** Resolves once it is deleted, or was not there. @throws NexaError `fenced`. */
  forget(by: Declarer, name: string): Promise<void>;
  /** All of an agent that was stopped for good under that epoch. */
  forgetAll(type: string, id: string, epoch: number): Promise<void>;
  /** This node owns that agent from now on. */
  owned(agent: string): void;
  /** The lease is back. */
  resume(): void;
  /** Read through the leader; what cannot be read is left out. */
  list(type: string, id: string): Promise<readonly ReminderView[]>;
  /** In the whole cluster. */
  readonly count: number;
  stop(): void;
}

export function reminders(
  options: ReminderStore & {
    readonly locals: () => LocalAgents;
    readonly owns: () => boolean;
    /** How often the wall clock is looked at, at least. */
    readonly lookMs: number;
    readonly onPoison: (envelope: Envelope, error: NexaError) => void;
  },
): Reminders {
  const { clock, codec, random, log, owns } = options;
  /** Of the due time that a reminder is at: how often its handler failed, and how often it waited to be brought again. */
  const failures = new Map<string, { readonly dueAtMs: number; readonly tries: number; readonly waits: number }>();
  let stopped = false;

  const copy = reminderCopy(options, (key) => arm(key));
  const due = dueTimes({
    clock,
    lookMs: options.lookMs,
    open: owns,
    groupOf: agentOf,
    fire: (key, opened) => fire(key, opened),
    onFree: (agent) => armAll(agent),
  });
  const arm = (key: string): void => {
    const atMs = copy.dueAtMs(key);
    if (failures.get(key)?.dueAtMs !== atMs) failures.delete(key);
    due.set(key, options.locals().epochOf(agentOf(key)) === undefined ? undefined : atMs);
  };
  const armAll = (agent: string): void => {
    for (const key of copy.keysOf(agent)) arm(key);
  };

  const fire = async (key: string, opened: () => void): Promise<Fired> => {
    try {
      return await fireOwned(key, opened);
    } catch (thrown) {
      const error = toNexaError(thrown, 'internal');
      if (isOver(error)) return { againInMs: BACKOFF_MS[0] };
      log.error({ reminder: key, code: error.code, error: error.message }, 'a reminder cannot be fired');
      return { againInMs: BACKOFF_MS[1] };
    }
  };
  const fireOwned = async (key: string, opened: () => void): Promise<Fired> => {
    const agent = agentOf(key);
    const epoch = options.locals().epochOf(agent);
    if (epoch === undefined) return undefined;
    const held = (): Standing => (stopped ? 'over' : owns() ? 'holds' : 'wait');
    const standing = (): Standing => (options.locals().epochOf(agent) === epoch ? held() : 'over');
    const reminder = await copy.change(key, { epoch, standing }, (found) => found);
    if (reminder === undefined) return undefined;
    const activation = await options.locals().awaken(agent);
    const { type, id, name } = parseReminderKey(key);
    const { declared, schedule } = reminder;
    // What was carried out may be advanced by an activation that has ended since: nobody else's due time is touched by that.
    const advance = ({ dueAtMs, nextAtMs }: Pick<Run, 'dueAtMs' | 'nextAtMs'>): Promise<unknown> =>
      copy.change(key, { epoch, standing: held }, (found) => {
        if (found === undefined || found.declared !== declared || found.dueAtMs > dueAtMs) return found;
        return nextAtMs === undefined ? undefined : { ...found, dueAtMs: nextAtMs, firedAtMs: dueAtMs };
      });
    const nowMs = clock.wallMs();
    const kept = activation.kept?.fired.get(name);
    if (kept?.declared === declared && kept.dueAtMs >= reminder.dueAtMs) {
      // Its effect was stored, and its owner was lost before it could say so here.
      await advance({ dueAtMs: kept.dueAtMs, nextAtMs: following(schedule, kept.dueAtMs) });
      return undefined;
    }
    if (reminder.dueAtMs > nowMs) return undefined;
    const run = runUntil(schedule, reminder.dueAtMs, nowMs);
    const message = codec.decode(reminder.message);
    const taken = activation.take(message, { fired: { name, declared, dueAtMs: run.dueAtMs, missed: run.missed } });
    opened();
    try {
      await taken;
    } catch (thrown) {
      const error = toNexaError(thrown, 'crashed');
      if (isOver(error)) throw error;
      const before = failures.get(key) ?? { tries: 0, waits: 0 };
      const notNow = isNotNow(error);
      const tries = before.tries + (notNow ? 0 : 1);
      if (notNow || (error.category !== 'protocol' && tries < TRIES)) {
        if (notNow) log.warn({ agent, reminder: name, code: error.code, error: error.message }, 'a due time is brought again');
        failures.set(key, { dueAtMs: reminder.dueAtMs, tries, waits: before.waits + 1 });
        return { againInMs: Math.min(BACKOFF_MS[1], BACKOFF_MS[0] * 2 ** before.waits) };
      }
      log.error({ agent, reminder: name, tries, code: error.code, error: error.message }, 'a due time failed too often and is given up');
      options.onPoison({ to: { kind: 'agent', type, id }, message }, error);
    }
    await advance(run);
    return undefined;
  };

  const forget = (key: string, by: Writer): Promise<unknown> => copy.change(key, by, () => undefined);

  return {
    async declare({ type, id, ...by }, { name, schedule, message }) {
      const key = reminderKey(type, id, name);
      const agent = agentKey(type, id);
      if (copy.dueAtMs(key) === undefined && copy.keysOf(agent).length >= MOST_REMINDERS) {
        throw new NexaError('quota-exceeded', `an agent has at most ${MOST_REMINDERS} reminders at a time`, {
          where: { agent: `${type}/${id}`, reminder: name },
          fix: 'Forget one first, or keep a list in the state and be reminded of its first.',
        });
      }
      const dueAtMs = firstDueAtMs(schedule, clock.wallMs());
      const mine: Reminder = { epoch: by.epoch, declared: random.id(), schedule, message, dueAtMs, firedAtMs: undefined };
      await copy.change(key, by, (found) => (found !== undefined && isSame(found, mine) ? found : mine));
    },
    async forget({ type, id, ...by }, name) {
      await forget(reminderKey(type, id, name), by);
    },
    async forgetAll(type, id, epoch) {
      const by: Writer = { epoch, standing: () => (stopped ? 'over' : 'holds') };
      await Promise.all(copy.keysOf(agentKey(type, id)).map((key) => forget(key, by)));
    },
    owned: armAll,
    resume: due.look,
    async list(type, id) {
      const views = copy.keysOf(agentKey(type, id)).map(async (key): Promise<readonly ReminderView[]> => {
        const found = await copy.read(key).catch(() => undefined);
        if (found === undefined) return [];
        const { schedule, dueAtMs, firedAtMs } = found;
        return [{ name: parseReminderKey(key).name, schedule, dueAtMs, firedAtMs: firedAtMs ?? null }];
      });
      return (await Promise.all(views)).flat().sort((a, b) => a.dueAtMs - b.dueAtMs);
    },
    get count() {
      return copy.size;
    },
    stop() {
      stopped = true;
      due.stop();
      copy.close();
    },
  };
}

/** The activation is over, or on its way to be put away: nothing was handled. */
const isOver = ({ code }: NexaError): boolean => code === 'fenced' || code === 'not-owner';

/** The same write again, or a declaration of the same: it keeps its beat. */
const isSame = (found: Reminder, mine: Reminder): boolean =>
  found.declared === mine.declared || (Buffer.compare(found.message, mine.message) === 0 && sameData(found.schedule, mine.schedule));
