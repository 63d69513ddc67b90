// With suite/servers.ts the only file here that knows the product from inside: its stores without nodes, its journals without agents,
// and the records that others are to write as well.
import { createCodec } from '../../../src/cluster/codec.ts';
import { storeSpec } from '../../../src/cluster/formation.ts';
import { encodeAgent } from '../../../src/cluster/place.ts';
import { type StoreName, type Subjects, subjects } from '../../../src/cluster/subject.ts';
import { encodeState } from '../../../src/durable/fenced-state.ts';
import { Journal } from '../../../src/durable/journal.ts';
import { encodeRecord } from '../../../src/durable/journal-record.ts';
import { NOTHING_KEPT } from '../../../src/durable/kept.ts';
import { SnapshotTroubles } from '../../../src/durable/snapshot-troubles.ts';
import type { StoredEvent } from '../../../src/durable/turn.ts';
import { jsonLog } from '../../../src/log.ts';
import { connectNats, type NatsLink } from '../../../src/nats/connection.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { systemRandom } from '../../../src/system-random.ts';

export type { StoreName };
export { subjects };

const REPLICAS = 3;
const LATE_MS = 60_000;
const codec = createCodec();
const log = jsonLog({ level: 'error' });
const at = { clock: systemClock, random: systemRandom };
const added: StoredEvent = { type: 'added', data: { by: 1 } };

/** A connection as a node has it for its stores. */
const link = (url: string): Promise<NatsLink> => connectNats({ servers: [url], name: 'bench', role: 'control', log, ...at });

async function formed({ stores }: NatsLink, names: Subjects, wanted: readonly StoreName[]): Promise<void> {
  for (const store of wanted) {
    const made = await stores().ensure(storeSpec(names, store, { replicas: REPLICAS, firstSequence: 1 }), { timeoutMs: LATE_MS });
    if (made !== 'created') throw new Error(`${names.store(store)} could not be made: ${JSON.stringify(made)}`);
  }
}
/** Makes stores as the first node of a cluster does. */
export async function formStores(url: string, names: Subjects, wanted: readonly StoreName[]): Promise<void> {
  const own = await link(url);
  await formed(own, names, wanted);
  await own.close();
}

/** So many journals over one connection; what commits one more event to one of them. */
export async function openJournals(url: string, names: Subjects, count: number): Promise<(index: number) => Promise<void>> {
  const own = await link(url);
  await formed(own, names, ['JOURNAL', 'SNAPSHOTS', 'BLOBS']);
  const counted = (state: unknown, by: number): unknown => ({ count: (state as { readonly count: number }).count + by });
  const options = {
    ...{ stores: own.stores(), subjects: names, type: 'tally', codec, storeMs: LATE_MS, epoch: 1, ...at },
    folding: {
      ...{ version: 1, config: undefined, initial: () => ({ count: 0 }), lifts: () => true, lift: (state: unknown) => state },
      fold: (state: unknown, events: readonly StoredEvent[]) => counted(state, events.length),
    },
    // None within a run.
    snapshotEvery: { events: 10_000, bytes: 4_194_304 },
    troubles: new SnapshotTroubles({ log, clock: systemClock }),
    signal: new AbortController().signal,
  };
  const journals = await Promise.all(Array.from({ length: count }, (_, index) => Journal.open({ ...options, id: `t${index}` })));
  return (index) => {
    const journal = journals[index] as Journal;
    return journal.commit({ state: counted(journal.state, 1), events: [added] });
  };
}

const identity = { recordId: systemRandom.id(), epoch: 1, version: 1 };
/** What a journal stores of one turn with one event. */
export const eventRecord = encodeRecord({ ...identity, n: 1_000, events: [added] }, codec);
/** What an agent's durable state takes, a counter's. */
export const stateRecord = encodeState({ ...identity, n: 1_000, state: { value: 1_000 }, kept: NOTHING_KEPT }, codec);
/** What says where an agent is, one that was just spawned. */
export const placeRecord = encodeAgent(
  {
    ...{ type: 'counter', id: systemRandom.id(), spawnId: '', nonce: systemRandom.id(), config: undefined, restart: 'permanent' },
    ...{ placement: { labels: {} }, desired: 'running', owner: { node: 'n1', incarnation: 1_000 }, prefer: undefined, version: 1 },
    ...{
      why: 'spawned',
      cause: 'spawn',
      moves: [{ node: 'n1', incarnation: 1_000, why: 'spawned', cause: 'spawn', atMs: Date.now(), epoch: undefined }],
    },
  },
  codec,
);
