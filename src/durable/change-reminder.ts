import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Random } from '../ports/random.ts';
import type { Kv } from '../ports/stores.ts';
import { BackOff } from './back-off.ts';
import { decodeReminder, encodeReminder, type Reminder } from './reminder.ts';

/** Whether an owner may write at this instant: `wait` while its lease is not held, `over` when another one may own the agent. */
export type Standing = 'holds' | 'wait' | 'over';

export interface ChangeOptions {
  readonly kv: Kv;
  readonly key: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /** Longest single store operation. */
  readonly storeMs: number;
  /** Of the activation that writes. */
  readonly epoch: number;
  readonly standing: () => Standing;
  /** Whether more is known here than a read showed; undefined: it showed nothing. */
  readonly isLate: (revision: number | undefined) => boolean;
  /** Our own write, or what a read showed; undefined: it was deleted. */
  readonly onSeen: (reminder: Reminder | undefined, revision: number) => void;
}

/**
 * Makes of a stored reminder what it is to be, and answers what is stored then. `decide` answers what it was given (it stays),
 * something else (it is replaced), or undefined (it is deleted); it is asked again with whatever is found after a doubtful write, so
 * it must know its own work.
 *
 * A read decides nothing: what stays, and was written by an earlier epoch, is written again under ours at the revision read. From
 * then on a write of that earlier owner is refused, because it expects another revision, and one that looks first sees our epoch.
 * @throws NexaError `fenced` (a higher epoch was read, or the activation is over), `corrupt-record`, `unknown-version`, and
 *   `quota-exceeded` if the store refuses for good.
 */
export async function changeReminder(
  options: ChangeOptions,
  decide: (found: Reminder | undefined) => Reminder | undefined,
): Promise<Reminder | undefined> {
  const { kv, key, codec, epoch, standing, onSeen } = options;
  const within = { timeoutMs: options.storeMs };
  const backOff = new BackOff(options);
  for (let doubtful = false; ; await backOff.pause()) {
    const stands = standing();
    if (stands === 'over')
      throw new NexaError('fenced', 'the activation is over', { where: { store: 'REMINDERS', key }, definite: !doubtful });
    if (stands === 'wait') continue;
    const found = await look(options);
    if (found === 'late') continue;
    if (found !== undefined && found.reminder.epoch > epoch) {
      const where = { store: 'REMINDERS', key };
      throw new NexaError('fenced', `epoch ${epoch} was overtaken by ${found.reminder.epoch}`, { where, definite: !doubtful });
    }
    const wanted = decide(found?.reminder);
    if (wanted === found?.reminder && (wanted === undefined || wanted.epoch === epoch)) {
      if (found !== undefined) onSeen(wanted, found.revision);
      return wanted;
    }
    // It may have come to an end while the store was read.
    if (standing() !== 'holds') continue;
    const next = wanted === undefined ? undefined : { ...wanted, epoch };
    try {
      const written =
        next === undefined
          ? await kv.delete(key, found?.revision ?? 0, within)
          : found === undefined
            ? await kv.create(key, encodeReminder(next, codec), within)
            : await kv.update(key, encodeReminder(next, codec), found.revision, within);
      if (written.written === 'yes') {
        onSeen(next, written.revision);
        return next;
      }
      doubtful ||= written.written === 'unknown';
    } catch (refused) {
      // A full store refuses for good. After a doubtful try that says nothing: the first copy may still land.
      if (!doubtful) throw refused;
    }
  }
}

async function look(options: ChangeOptions): Promise<{ readonly reminder: Reminder; readonly revision: number } | 'late' | undefined> {
  const { kv, key, codec } = options;
  let found: Awaited<ReturnType<Kv['get']>>;
  try {
    found = await kv.get(key, { timeoutMs: options.storeMs });
  } catch {
    return 'late';
  }
  if (options.isLate(found?.revision)) return 'late';
  return found === undefined ? undefined : { reminder: decodeReminder(found.value, codec, key), revision: found.revision };
}
