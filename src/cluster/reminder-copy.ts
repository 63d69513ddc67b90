import { changeReminder, type Standing } from '../durable/change-reminder.ts';
import { decodeReminder, type Reminder } from '../durable/reminder.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Kv } from '../ports/stores.ts';
import { watchedCopy } from './copy.ts';

export interface ReminderStore {
  readonly kv: Kv;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly storeMs: number;
  readonly log: Logger;
}
/** Who changes a reminder, and whether it may at this instant. */
export interface Writer {
  readonly epoch: number;
  readonly standing: () => Standing;
}

/** What a node follows of the cluster's reminders: only when each is due. Its message is read when it fires. */
export interface ReminderCopy {
  dueAtMs(key: string): number | undefined;
  /** Keys of an agent's reminders. */
  keysOf(agent: string): readonly string[];
  readonly size: number;
  /** One, read through the leader. @throws NexaError `corrupt-record`, `unknown-version`, and what the store says. */
  read(key: string): Promise<Reminder | undefined>;
  /** As {@link changeReminder}; the copy knows at once what came of it. */
  change(key: string, by: Writer, decide: (found: Reminder | undefined) => Reminder | undefined): Promise<Reminder | undefined>;
  close(): void;
}

/** The agent's part of a reminder's key. */
export const agentOf = (key: string): string => key.slice(0, key.lastIndexOf('.'));

export function reminderCopy(store: ReminderStore, onChange: (key: string) => void): ReminderCopy {
  const { kv, codec, storeMs } = store;
  const agents = new KeysByAgent();
  const copy = watchedCopy<number>({
    kv,
    prefix: '',
    store: 'REMINDERS',
    decode: (bytes, key) => decodeReminder(bytes, codec, key).dueAtMs,
    onChange: (key, now) => {
      if (now === undefined) agents.delete(key);
      else agents.add(key);
      onChange(key);
    },
    onLive: () => undefined,
    onReset: () => undefined,
    storeMs,
    log: store.log,
  });
  return {
    dueAtMs: (key) => copy.get(key)?.value,
    keysOf: (agent) => agents.of(agent),
    get size() {
      return copy.size;
    },
    async read(key) {
      const found = await kv.get(key, { timeoutMs: storeMs });
      return found === undefined ? undefined : decodeReminder(found.value, codec, key);
    },
    change(key, { epoch, standing }, decide) {
      // What was deleted is known too: a read that still shows it is late.
      const isLate = (revision: number | undefined): boolean =>
        revision === undefined ? copy.get(key) !== undefined : revision < copy.known(key);
      const onSeen = (reminder: Reminder | undefined, revision: number): void => copy.apply(key, reminder?.dueAtMs, revision);
      return changeReminder({ ...store, key, epoch, standing, isLate, onSeen }, decide);
    },
    close: copy.close,
  };
}

/** Most agents have one reminder, and a set of one would cost as much as all the rest that is kept of it. */
class KeysByAgent {
  readonly #keys = new Map<string, string | Set<string>>();

  of(agent: string): readonly string[] {
    const keys = this.#keys.get(agent) ?? [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }
  add(key: string): void {
    const agent = agentOf(key);
    const keys = this.#keys.get(agent);
    if (keys === undefined) this.#keys.set(agent, key);
    else if (typeof keys !== 'string') keys.add(key);
    else if (keys !== key) this.#keys.set(agent, new Set([keys, key]));
  }
  delete(key: string): void {
    const agent = agentOf(key);
    const keys = this.#keys.get(agent);
    if (keys === key || (typeof keys === 'object' && keys.delete(key) && keys.size === 0)) this.#keys.delete(agent);
  }
}
