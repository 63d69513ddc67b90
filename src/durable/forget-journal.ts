import { NexaError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import { type Folding, NOTHING_FOLDED } from './folding.ts';
import { append } from './journal-append.ts';
import { type Found, type JournalAccess, JournalPlace } from './journal-place.ts';
import type { JournalRecord } from './journal-record.ts';
import { replay } from './journal-replay.ts';
import { type Kept, keep } from './kept.ts';
import { patiently } from './misfit.ts';
import { Snapshots } from './snapshots.ts';

/** Where a journal ends, whatever is in it. */
interface End {
  readonly n: number;
  readonly sequence: number;
  readonly kept: Kept;
}

/** What was kept is told by records of any version, and events need not be understood to be deleted. */
const BLIND: Folding = {
  version: Number.MAX_SAFE_INTEGER,
  config: undefined,
  initial: () => null,
  fold: (state) => state,
  lifts: () => true,
  lift: () => null,
};
const PURGES = 5;

/**
 * Deletes an agent's state by a tombstone of the given epoch, also one that cannot be replayed, and then what is before it; a higher
 * epoch means that it lives again, and stays.
 * @throws NexaError `unavailable`: the state is deleted, but what held it may be left.
 */
export async function forgetJournal(access: JournalAccess): Promise<void> {
  const place = new JournalPlace(access);
  try {
    await clear(place, await bury(place));
  } catch (error) {
    if (!(error instanceof NexaError) || error.code !== 'fenced') throw error;
  }
}

/** The sequence of the tombstone. */
async function bury(place: JournalPlace): Promise<number> {
  const { epoch, random } = place.access;
  let end = await endOf(place);
  for (;;) {
    const record: JournalRecord = {
      recordId: random.id(),
      epoch,
      n: end.n + 1,
      version: 0,
      deleted: { floor: end.kept.floor },
      events: [],
    };
    const appended = await append(place, record, end.sequence);
    if ('stored' in appended) return appended.stored;
    for (let found: Found | undefined = appended.foreign; found !== undefined; found = await place.next(found.sequence + 1)) {
      if (found.record.epoch > epoch) throw place.fencedBy(found.record.epoch);
      end = { n: Math.max(end.n, found.record.n), sequence: found.sequence, kept: keep(end.kept, found.record) };
    }
  }
}

async function endOf(place: JournalPlace): Promise<End> {
  try {
    return (await patiently(place, () => replay(place, BLIND))).folded;
  } catch (error) {
    if (!(error instanceof NexaError) || !['corrupt-record', 'unknown-version'].includes(error.code)) throw error;
  }
  // A tombstone needs nothing before it: its number only has to be above what can be read.
  const last = await place.persistent(() => place.stream.last(place.subject, place.within));
  return { ...NOTHING_FOLDED, n: last?.sequence ?? 0, sequence: last?.sequence ?? 0 };
}

async function clear(place: JournalPlace, tombstone: number): Promise<void> {
  await Snapshots.delete(place);
  const backOff = new BackOff(place.access);
  for (let tries = 0; tries < PURGES; tries++) {
    if ((await place.stream.purge(place.subject, { belowSequence: tombstone, ...place.within })) === 'yes') return;
    await backOff.pause();
  }
  throw new NexaError('unavailable', 'events of deleted state may be left', { definite: false, where: place.at(tombstone) });
}
