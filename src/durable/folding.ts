import { NexaError } from '../errors.ts';
import type { Found, JournalPlace } from './journal-place.ts';
import { type Kept, keep, keptByTombstone, NOTHING_KEPT } from './kept.ts';
import { Misfit } from './misfit.ts';
import type { StoredEvent } from './turn.ts';

/** What the owner of a journal knows of its records: how they become a state. */
export interface Folding {
  /** Of the agent type on this node. */
  readonly version: number;
  /** What the agent was spawned with; the first record keeps it. */
  readonly config: unknown;
  /** @throws NexaError for a configuration that does not fit any more. */
  initial(config: unknown): unknown;
  /** The state after one record of that version. @throws NexaError `corrupt-record`, `unknown-version`. */
  fold(state: unknown, events: readonly StoredEvent[], version: number): unknown;
  /** Whether a state of that version can be lifted to today's. */
  lifts(version: number): boolean;
  /** Today's state from a stored one. @throws NexaError `corrupt-record`, `unknown-version`. */
  lift(state: unknown, version: number): unknown;
}

/** Where a replay is: all that the records up to `sequence` came to. */
export interface Folded {
  readonly recordId: string;
  readonly epoch: number;
  /** Of the last record that counted; 0: none. */
  readonly n: number;
  /** Of the last record that was read: what the next append expects. */
  readonly sequence: number;
  /** Undefined: nothing has begun, or it was deleted. */
  readonly state: unknown;
  readonly kept: Kept;
}
export const NOTHING_FOLDED: Folded = { recordId: '', epoch: 0, n: 0, sequence: 0, state: undefined, kept: NOTHING_KEPT };

/**
 * The next record in. Records of an epoch below one already seen were written by an owner that was fenced off, and do not count.
 * @throws NexaError `fenced` for a higher epoch than ours, {@link Misfit}, `corrupt-record`, `unknown-version`.
 */
export function foldRecord(place: JournalPlace, folding: Folding, folded: Folded, { record, sequence }: Found): Folded {
  if (record.epoch > place.access.epoch) throw place.fencedBy(record.epoch);
  if (record.epoch < folded.epoch) return { ...folded, sequence };
  const { recordId, epoch, n } = record;
  const here = { recordId, epoch, n, sequence };
  if (record.deleted !== undefined) {
    const floor = Math.max(folded.kept.floor, record.deleted.floor);
    return { ...here, state: undefined, kept: keptByTombstone({ ...folded.kept, floor }) };
  }
  if (n !== folded.n + 1) throw new Misfit(`record ${n} follows on record ${folded.n}: there is a gap`, place.at(sequence));
  if ((record.begins === undefined) !== (folded.state !== undefined))
    throw new Misfit(record.begins === undefined ? 'a journal without its beginning' : 'a journal that begins twice', place.at(sequence));
  const state = record.begins === undefined ? folded.state : folding.initial(record.begins.config);
  try {
    return { ...here, state: folding.fold(state, record.events, record.version), kept: keep(folded.kept, record) };
  } catch (error) {
    if (!(error instanceof NexaError)) throw error;
    const { code, message, fix, cause } = error;
    throw new NexaError(code, message, { where: { ...error.where, ...place.at(sequence) }, cause, ...(fix === undefined ? {} : { fix }) });
  }
}
