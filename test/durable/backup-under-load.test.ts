import { expect, test } from 'vitest';
import { form } from '../../src/cluster/formation.ts';
import { encodeAgent } from '../../src/cluster/place.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { decodeState, FencedState } from '../../src/durable/fenced-state.ts';
import { encodeReminder } from '../../src/durable/reminder.ts';
import { memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { codec, outcome, storeWorld, TIME } from '../cluster/stores.ts';
import { keepAll, parts, restoreAll } from './backup.ts';

const AGENTS = ['robot.a', 'robot.b', 'robot.c'] as const;
type Handled = { readonly mail: readonly number[]; readonly armed: string | null };

/** Three owners that handle mail, and declare and forget reminders, as owners do, while others store mail for them. */
async function busyCluster(seed: number) {
  const world = storeWorld({ store: { delayMs: [0, 8], unknownApplied: 0.02, unknownLost: 0.02 } });
  const { clock, network } = world;
  const random = seededRandom(seed);
  const names = subjects('old');
  const { stores } = network.connect('owner');
  const come = <T>(promise: Promise<T>) => outcome(clock, promise);
  const retried = async <T>(run: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await run().catch(() => undefined);
      if (found !== undefined) return found;
    }
  };
  await come(form({ stores, subjects: names, codec, clock, replicas: 1, timeoutMs: 30_000, storeMs: 1_000 }));
  const mailbox = stores.stream(names.store('MAILBOX'));
  const reminders = stores.kv(names.store('REMINDERS'));
  const agents = stores.kv(names.store('AGENTS'));
  const abort = new AbortController();
  let stop = false;
  const stored = new Map<string, number>();
  const crashes = new Set<string>();

  const subjectOf = (agent: string) => names.record('mailbox', 'robot', agent.slice(6));
  const sender = async (agent: string): Promise<void> => {
    for (let n = 1; !stop; n++) {
      const recordId = `${agent}-${n}`;
      await retried(async () => {
        const written = await mailbox.append(subjectOf(agent), codec.encode(n), { recordId, timeoutMs: 200 });
        return written.written === 'yes' ? written : undefined;
      });
      stored.set(agent, n);
      await new Promise<void>((resolve) => void clock.after(random.next() * 10, resolve));
    }
  };
  const remind = async (key: string, declared: string | null, epoch: number): Promise<boolean> => {
    const present = await reminders.get(key, TIME);
    const there = present === undefined ? null : (codec.decode(present.value) as unknown[])[2];
    if (there === declared) return true;
    if (declared === null) return (await reminders.delete(key, present?.revision ?? 0, TIME)).written === 'yes';
    const entry = encodeReminder(
      { epoch, declared, schedule: { atMs: 1 }, message: codec.encode(1), dueAtMs: 1, firedAtMs: undefined },
      codec,
    );
    return (await reminders.create(key, entry, TIME)).written === 'yes';
  };
  const owner = async (agent: string): Promise<void> => {
    const record = encodeAgent(
      {
        ...{ type: 'robot', id: agent.slice(6), spawnId: '', nonce: 'x', config: undefined, restart: 'permanent', placement: {} },
        ...{
          desired: 'running',
          owner: { node: 'n1', incarnation: 1 },
          prefer: 'n1',
          version: 1,
          why: 'spawned',
          cause: 'spawn',
          moves: [],
        },
      },
      codec,
    );
    const epoch = await retried(async () => {
      await agents.create(agent, record, TIME);
      return (await agents.get(agent, TIME))?.revision;
    });
    const state = await FencedState.open(
      {
        ...{ kv: stores.kv(names.store('STATE')), key: agent, codec, clock, random, storeMs: 200 },
        ...{ epoch, version: 1, signal: abort.signal },
      },
      () => ({ mail: [], armed: null }) satisfies Handled,
    );
    let declared: string | null = null;
    /** What a crash would have left at some instant: the state by its number, and the reminder beside it. */
    const left = (): void => void crashes.add(`${agent} ${state.record.n} ${declared}`);
    left();
    for (let turn = 0; !stop; turn++) {
      const now = state.state as Handled;
      if (random.next() < 0.3) {
        // As a handler does: the reminder is durable before the turn that speaks of it is.
        const armed = now.armed === null ? `d${turn}` : null;
        await retried(async () => ((await remind(`${agent}.r`, armed, epoch)) ? true : undefined));
        declared = armed;
        left();
        await state.commit({ state: { ...now, armed } });
        left();
        continue;
      }
      const next = await mailbox.next(subjectOf(agent), { fromSequence: state.kept.floor + 1, ...TIME }).catch(() => undefined);
      if (next === undefined) continue;
      const n = codec.decode(next.record) as number;
      await state.commit({ state: { ...now, mail: [...now.mail, n] }, source: { mail: { sequence: next.sequence, messageId: `${n}` } } });
      left();
      if (random.next() < 0.5) await mailbox.purge(subjectOf(agent), { belowSequence: state.kept.floor + 1, ...TIME });
    }
  };
  const running = Promise.all(AGENTS.flatMap((agent) => [sender(agent), owner(agent)]));
  await clock.advance(400 + random.next() * 400);
  return {
    ...{ ...world, come, crashes },
    /** What was acknowledged by now. */
    acknowledged: () => new Map(stored),
    async end() {
      stop = true;
      await come(running);
    },
  };
}

test.each([...Array(12).keys()])(
  'each agent is taken as a crash would leave it, and no message is lost or doubled: seed %i',
  async (seed) => {
    const { clock, network, come, crashes, acknowledged, end } = await busyCluster(seed);
    const before = acknowledged();
    const kept = await come(keepAll(parts(network, clock, 'old')));
    await end();
    expect([...before.values()].every((n) => n > 3)).toBe(true);
    expect(kept.summary).toMatchObject({ corrupt: [], counts: { agent: AGENTS.length, state: expect.any(Number) } });

    const fresh = memoryNetwork({
      clock,
      random: seededRandom(seed),
      faults: { store: { delayMs: [0, 5], unknownApplied: 0.1, unknownLost: 0.1 } },
    });
    const { formation } = await come(restoreAll(parts(fresh, clock, 'new'), kept));
    expect(formation.firstSequence).toBeGreaterThan(kept.summary.highest);

    const names = subjects('new');
    const { stores } = fresh.connect('reader');
    for (const agent of AGENTS) {
      const found = await come(stores.kv(names.store('STATE')).get(agent, TIME));
      const { state, n, kept: memory } = decodeState(found?.value ?? new Uint8Array(), codec, agent);
      const { mail } = state as Handled;
      const waiting: number[] = [];
      for (let from = 1; ; ) {
        const next = await come(
          stores.stream(names.store('MAILBOX')).next(names.record('mailbox', 'robot', agent.slice(6)), { fromSequence: from, ...TIME }),
        );
        if (next === undefined) break;
        expect(next.sequence).toBeGreaterThan(memory.floor);
        waiting.push(codec.decode(next.record) as number);
        from = next.sequence + 1;
      }
      // In order, each once, and all that was acknowledged before the backup began.
      const all = [...mail, ...waiting];
      expect(all, agent).toEqual([...all.keys()].map((index) => index + 1));
      expect(all.length).toBeGreaterThanOrEqual(before.get(agent) ?? 0);
      const reminder = await come(stores.kv(names.store('REMINDERS')).get(`${agent}.r`, TIME));
      const declared = reminder === undefined ? null : ((codec.decode(reminder.value) as unknown[])[2] as string);
      expect(crashes).toContain(`${agent} ${n} ${declared}`);
    }
  },
);
