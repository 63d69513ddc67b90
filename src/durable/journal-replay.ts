import { NexaError } from '../errors.ts';
import { type Folded, type Folding, foldRecord, NOTHING_FOLDED } from './folding.ts';
import type { Found, JournalPlace } from './journal-place.ts';
import { Misfit } from './misfit.ts';
import { decodeSnapshot, type SnapshotRecord } from './snapshot-record.ts';

/** What is stored as the snapshot, as it was last read. */
export interface StoredSnapshot {
  readonly record: SnapshotRecord;
  readonly revision: number;
}
/** The state of a journal as far as it could be read, and how much of it no snapshot holds yet. */
export interface Replayed {
  readonly folded: Folded;
  readonly snapshot: StoredSnapshot | undefined;
  readonly events: number;
  readonly bytes: number;
}

/** Behind a snapshot so many records are read one by one; more come through a consumer. */
const SHORT_TAIL = 16;

/** One record more, for what the next snapshot is due by: a record without events is work for a replay too. */
export const counted = (replayed: Replayed, found: Found, folded: Folded): Replayed => ({
  ...replayed,
  folded,
  events: replayed.events + Math.max(1, found.record.events.length),
  bytes: replayed.bytes + found.bytes,
});

/** @throws NexaError `corrupt-record`, `unknown-version`, `fenced`. */
export async function readSnapshot(place: JournalPlace): Promise<StoredSnapshot | undefined> {
  const found = await place.persistent(() => place.snapshots.get(place.key, place.within));
  if (found === undefined) return undefined;
  return { record: decodeSnapshot(found.value, place.access.codec, place.snapshotAt), revision: found.revision };
}

/**
 * Snapshot and tail, joined by n. What is read may lag: whether it is all there is, is decided by the append that follows.
 * @throws NexaError {@link Misfit} when it does not join, `fenced` for a higher epoch, `corrupt-record`, `unknown-version`.
 */
export async function replay(place: JournalPlace, folding: Folding): Promise<Replayed> {
  const [snapshot, last] = await Promise.all([readSnapshot(place), place.last()]);
  if (snapshot !== undefined && snapshot.record.epoch > place.access.epoch) throw place.fencedBy(snapshot.record.epoch);
  const nothing: Replayed = { folded: NOTHING_FOLDED, snapshot, events: 0, bytes: 0 };
  if (snapshot === undefined) return join(place, folding, nothing, undefined, 0, last);
  const { record } = snapshot;
  // Without a way to lift its state the journal itself would do, if all of it were still there.
  if (record.version < folding.version && !folding.lifts(record.version)) return wholeJournal(place, folding, nothing, record, last);
  const state = folding.lift(await stateOf(place, record), record.version);
  const base: Replayed = { ...nothing, folded: { ...NOTHING_FOLDED, ...pick(record), state, kept: record.kept } };
  try {
    return await join(place, folding, base, record, record.sequence, last);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return join(place, folding, base, record, 0, last);
  }
}

const pick = ({ recordId, epoch, n }: SnapshotRecord) => ({ recordId, epoch, n });

async function wholeJournal(
  place: JournalPlace,
  folding: Folding,
  nothing: Replayed,
  { version }: SnapshotRecord,
  last: Found | undefined,
): Promise<Replayed> {
  try {
    return await join(place, folding, nothing, undefined, 0, last);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw new Misfit(
      `nothing lifts its snapshot from version ${version}, and the events before it are purged`,
      { ...place.snapshotAt, version: String(version), field: 'upcastState' },
      `Add upcastState: { ${version}: (state) => … }.`,
    );
  }
}

async function stateOf(place: JournalPlace, { state }: SnapshotRecord): Promise<unknown> {
  const bytes = typeof state === 'string' ? await objectOf(place, state) : state;
  try {
    return place.access.codec.decode(bytes);
  } catch (cause) {
    throw new NexaError('corrupt-record', 'the state of a snapshot cannot be read', { where: place.snapshotAt, cause });
  }
}

/** A later snapshot deletes the object of the one before: then the read of the snapshot was late. */
async function objectOf(place: JournalPlace, name: string): Promise<Uint8Array> {
  try {
    const bytes = await place.persistent(() => place.blobs.get(name, place.within));
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (!(error instanceof NexaError) || error.code !== 'corrupt-record') throw error;
  }
  throw new Misfit('the object of a snapshot is missing or damaged', { ...place.snapshotAt, object: name });
}

async function join(
  place: JournalPlace,
  folding: Folding,
  base: Replayed,
  snapshot: SnapshotRecord | undefined,
  fromSequence: number,
  last: Found | undefined,
): Promise<Replayed> {
  let replayed = base;
  let joined = snapshot === undefined;
  for await (const found of tail(place, base.folded.n, fromSequence, last)) {
    const { record, sequence } = found;
    if (!joined && snapshot !== undefined) {
      if (record.recordId === snapshot.recordId) {
        joined = true;
        replayed = { ...replayed, folded: { ...replayed.folded, sequence } };
        continue;
      }
      if (record.epoch < snapshot.epoch || (record.n < snapshot.n && record.deleted === undefined)) continue;
      if (record.deleted === undefined)
        throw new Misfit(`the snapshot ends at record ${snapshot.n}, which the journal has not`, place.at(sequence));
    }
    joined = true;
    replayed = counted(replayed, found, foldRecord(place, folding, replayed.folded, found));
  }
  if (joined) return replayed;
  throw new Misfit(`the snapshot ends at record ${snapshot?.n}, the journal before it`, { ...place.snapshotAt, ...place.at(0) });
}

/** The records up to `last`, as far as reads show them. */
async function* tail(place: JournalPlace, afterN: number, fromSequence: number, last: Found | undefined): AsyncGenerator<Found> {
  if (last === undefined) return;
  let from = Math.max(1, fromSequence);
  if (last.record.n - afterN > SHORT_TAIL) {
    for await (const found of consumed(place, from)) {
      if (found.sequence >= last.sequence) break;
      yield found;
      from = found.sequence + 1;
    }
  }
  while (from < last.sequence) {
    const found = await place.next(from);
    if (found === undefined || found.sequence >= last.sequence) break;
    yield found;
    from = found.sequence + 1;
  }
  yield last;
}

/** What an ordered consumer gives; it may lag, so it is left when nothing came for as long as one store operation may take. */
async function* consumed(place: JournalPlace, fromSequence: number): AsyncGenerator<Found> {
  const { clock, storeMs, signal } = place.access;
  const leaving = new AbortController();
  let cancel = clock.after(storeMs, () => leaving.abort());
  const stop = (): void => leaving.abort();
  signal.addEventListener('abort', stop);
  try {
    for await (const read of place.stream.read(place.subject, { afterSequence: fromSequence - 1, signal: leaving.signal })) {
      cancel();
      const found = place.found(read);
      if (found !== undefined) yield found;
      cancel = clock.after(storeMs, stop);
    }
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
