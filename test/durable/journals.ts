import { silentLogger } from '../../src/actor/safe-logger.ts';
import { storeSpec } from '../../src/cluster/formation.ts';
import type { Folding } from '../../src/durable/folding.ts';
import { forgetJournal } from '../../src/durable/forget-journal.ts';
import { Journal, type JournalOptions } from '../../src/durable/journal.ts';
import { decodeRecord, type JournalRecord } from '../../src/durable/journal-record.ts';
import { decodeSnapshot } from '../../src/durable/snapshot-record.ts';
import { SnapshotTroubles } from '../../src/durable/snapshot-troubles.ts';
import { NexaError } from '../../src/errors.ts';
import type { StoreFaults } from '../../src/memory/network.ts';
import type { Stores, Stream, Written } from '../../src/ports/stores.ts';
import { codec, names, outcome, storeWorld, TIME } from '../cluster/stores.ts';

/** A list that its events append to; an event of another type cannot be folded. */
export const listingOf = (known: number): Folding => ({
  version: known,
  config: { from: 'here' },
  initial: () => [],
  fold(state, events, version) {
    if (version > known) throw new NexaError('unknown-version', `version ${version}`);
    const odd = events.find(({ type }) => type !== 'added');
    if (odd !== undefined) throw new NexaError('corrupt-record', `an event ${odd.type}`);
    return [...(state as readonly unknown[]), ...events.map(({ data }) => data)];
  },
  lifts: (version) => version >= 1,
  lift: (state) => state,
});
export const listing = listingOf(1);

/** The next item, as a turn. */
export const adding = (journal: Journal, item: unknown) => ({
  state: [...(journal.state as readonly unknown[]), item],
  events: [{ type: 'added', data: item }],
});

/** The stores of one agent's journal in memory, under a clock that the test moves. */
export async function journalWorld(faults: Partial<StoreFaults> = {}) {
  const { clock, network, random, stores } = storeWorld();
  const come = <T>(promise: Promise<T>, withinMs?: number): Promise<T> => outcome(clock, promise, withinMs);
  const abort = new AbortController();
  const warnings: string[] = [];
  const warn = (fields: object): void => void warnings.push((fields as { readonly code: string }).code);
  const calm = stores('observer');
  for (const store of ['JOURNAL', 'SNAPSHOTS', 'BLOBS'] as const)
    await come(calm.ensure(storeSpec(names, store, { replicas: 1, firstSequence: 1 }), { timeoutMs: 60_000 }));
  const calmed = { ...network.faults.store };
  Object.assign(network.faults.store, faults);
  const subject = names.record('journal', 'list', 'a');
  const stream = calm.stream(names.store('JOURNAL'));
  const troubles = new SnapshotTroubles({ clock, log: { ...silentLogger, warn } });
  const at = (epoch: number, more: Partial<JournalOptions> = {}): JournalOptions => ({
    ...{ stores: stores('owner'), subjects: names, type: 'list', id: 'a', codec, clock, random, storeMs: 500 },
    ...{ epoch, signal: abort.signal, folding: listing, snapshotEvery: { events: 1_000, bytes: 1_000_000 }, troubles, ...more },
  });
  return {
    ...{ clock, network, random, stores, calm, stream, subject, abort, at, come, warnings },
    snapshots: calm.kv(names.store('SNAPSHOTS')),
    blobs: calm.blobs(names.store('BLOBS')),
    open: (epoch: number, more: Partial<JournalOptions> = {}): Promise<Journal> => come(Journal.open(at(epoch, more))),
    forget: (epoch: number): Promise<void> => come(forgetJournal(at(epoch))),
    calmDown: (): void => void Object.assign(network.faults.store, calmed),
    /** All that is stored, read without a fault. */
    async records(): Promise<readonly JournalRecord[]> {
      const found: JournalRecord[] = [];
      for (let from = 1; ; ) {
        const next = await come(stream.next(subject, { fromSequence: from, ...TIME }));
        if (next === undefined) return found;
        found.push(decodeRecord(next.record, codec, {}));
        from = next.sequence + 1;
      }
    },
    async snapshot() {
      const found = await come(calm.kv(names.store('SNAPSHOTS')).get('list.a', TIME));
      return found === undefined ? undefined : decodeSnapshot(found.value, codec, {});
    },
    raw: (bytes: Uint8Array, expectedSequence?: number): Promise<Written> =>
      come(
        stream.append(subject, bytes, {
          ...(expectedSequence === undefined ? {} : { expectedSequence }),
          recordId: random.id(),
          ...TIME,
        }),
      ),
  };
}

/** The answers to the next appends, in order, whatever becomes of them; `lost` ones never reach the store. */
export function answeringStream(stores: Stores, answers: ('lost' | 'stored, unknown' | 'no' | 'full')[], seen: string[] = []): Stores {
  const wrap = (stream: Stream): Stream => ({
    ...stream,
    append: async (subject, record, options) => {
      seen.push(options.recordId);
      const answer = answers.shift();
      if (answer === undefined) return stream.append(subject, record, options);
      if (answer === 'full') throw new NexaError('quota-exceeded', 'the store is full');
      if (answer === 'stored, unknown') await stream.append(subject, record, options);
      return { written: answer === 'no' ? 'no' : 'unknown' };
    },
  });
  return { ...stores, stream: (name) => wrap(stores.stream(name)) };
}
