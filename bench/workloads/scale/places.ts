// The one file here that knows the product from inside: the table of where agents are, without a node, and the records in it.
import { createCodec } from '../../../src/cluster/codec.ts';
import { storeSpec } from '../../../src/cluster/formation.ts';
import { encodeAgent } from '../../../src/cluster/place.ts';
import { type Places, watchedPlaces } from '../../../src/cluster/places.ts';
import { agentKey, subjects } from '../../../src/cluster/subject.ts';
import { jsonLog } from '../../../src/log.ts';
import { connectNats } from '../../../src/nats/connection.ts';
import type { Kv } from '../../../src/ports/stores.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { systemRandom } from '../../../src/system-random.ts';
import { inFlight } from '../../suite/in-flight.ts';

const codec = createCodec();
const log = jsonLog({ level: 'error' });
const TYPE = 'bench-visitor';
const LATE = { timeoutMs: 60_000 };
/** So many records are made before the time runs again. */
const CHUNK = 10_000;

export const ownerOf = (index: number): string => `n${index % 16}`;
export const keyOf = (index: number): string => agentKey(TYPE, `agent-${index}`);
/** As a claim writes it. */
const recordOf = (index: number): Uint8Array => {
  const [owner, why] = [{ node: ownerOf(index), incarnation: 1_000 + (index % 16) }, 'spawned on demand'];
  const agent = { type: TYPE, id: `agent-${index}`, spawnId: '', nonce: systemRandom.id(), config: undefined, version: 1, why } as const;
  const rest = { restart: 'permanent', placement: {}, desired: 'running', prefer: undefined, cause: 'spawn', moves: [] } as const;
  return encodeAgent({ ...agent, ...rest, owner }, codec);
};
export const decodePlain = (bytes: Uint8Array): unknown => codec.decode(bytes);

/** What a table is filled from: a watch of the store, or the same calls without one. */
export interface Source extends AsyncDisposable {
  readonly kv: Pick<Kv, 'watch'>;
  /** Of the time since the watch began, what went into making the records. */
  readonly notOursMs: () => number;
}

/** The AGENTS bucket of a cluster of this size on a real server, written by whoever comes first. */
export async function storedPlaces(url: string, count: number): Promise<Source> {
  const link = await connectNats({ servers: [url], name: 'bench', role: 'control', log, clock: systemClock, random: systemRandom });
  const names = subjects(`places-${count}`);
  const stores = link.stores();
  const made = await stores.ensure(storeSpec(names, 'AGENTS', { replicas: 1, firstSequence: 1 }), LATE);
  const kv = stores.kv(names.store('AGENTS'));
  if (made === 'created')
    await inFlight(256, count, async (at) => {
      const { written } = await kv.create(keyOf(at), recordOf(at), LATE);
      if (written !== 'yes') throw new Error(`${keyOf(at)} was not written: ${written}`);
    });
  return { kv, notOursMs: () => 0, [Symbol.asyncDispose]: () => link.close() };
}

/** So many that a server would take minutes to write them: what a watch calls is called from here. */
export function madePlaces(count: number): Source {
  let notOursMs = 0;
  const watch: Kv['watch'] = (_prefix, listener) => {
    let next = 0;
    const chunk = (): void => {
      const fromMs = performance.now();
      const records = Array.from({ length: Math.min(CHUNK, count - next) }, (_, index) => recordOf(next + index));
      notOursMs += performance.now() - fromMs;
      for (const value of records) listener({ kind: 'put', key: keyOf(next++), value, revision: next });
      if (next < count) setImmediate(chunk);
      else listener({ kind: 'live' });
    };
    setImmediate(chunk);
    return () => undefined;
  };
  return { kv: { watch }, notOursMs: () => notOursMs, [Symbol.asyncDispose]: async () => undefined };
}

/** A node's own table; resolves when all that was there is in it. */
export async function placeTable(kv: Pick<Kv, 'watch'>): Promise<(key: string) => string | undefined> {
  const table = await new Promise<Places>((resolve) => {
    const onLive = (): void => resolve(places);
    const places = watchedPlaces({ kv: kv as Kv, codec, onChange: () => undefined, onLive, storeMs: LATE.timeoutMs, log });
  });
  return (key) => table.get(key)?.value.owner?.node;
}
