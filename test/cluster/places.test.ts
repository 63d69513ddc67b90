import { encode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { type AgentRecord, encodeAgent } from '../../src/cluster/place.ts';
import { watchedPlaces } from '../../src/cluster/places.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { TIME } from './stores.ts';

const codec = createCodec();
const record = (id: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  ...{ type: 'counter', id, spawnId: id, nonce: id, config: { of: id }, restart: 'permanent', placement: { labels: { zone: 'a' } } },
  ...{
    desired: 'running',
    owner: { node: 'n1', incarnation: 7 },
    prefer: undefined,
    version: 1,
    why: 'spawned',
    cause: 'spawn',
    moves: [],
  },
  ...more,
});

function table() {
  let tell: Parameters<Kv['watch']>[1] = () => undefined;
  const kv = {
    watch: (_prefix, listener) => {
      tell = listener;
      return () => undefined;
    },
  } as Pick<Kv, 'watch'> as Kv;
  const nothing = () => undefined;
  const places = watchedPlaces({ kv, codec, onChange: nothing, onLive: nothing, storeMs: TIME.timeoutMs, log: silentLogger });
  let revision = 0;
  return {
    places,
    put: (value: Uint8Array, key: string) => tell({ kind: 'put', key, value, revision: ++revision }),
    of: (id: string) => places.get(`counter.${id}`)?.value,
  };
}

test('agents of which the same is to be said share it, whether it was read or written here', () => {
  const { places, put, of } = table();
  for (const id of ['a', 'b']) put(encodeAgent(record(id), codec), `counter.${id}`);
  places.saw('counter.c', record('c'), 10);
  expect(of('b')).toBe(of('a'));
  expect(of('c')).toBe(of('a'));
  expect(of('a')).toEqual({
    ...{ type: 'counter', owner: { node: 'n1', incarnation: 7 }, prefer: undefined, desired: 'running', version: 1 },
    ...{ placement: { labels: { zone: 'a' } }, restart: 'permanent', why: 'spawned', cause: 'spawn' },
  });
});

test.each<[string, Partial<AgentRecord>]>([
  ['node', { owner: { node: 'n2', incarnation: 7 } }],
  ['incarnation', { owner: { node: 'n1', incarnation: 8 } }],
  ['owner', { owner: undefined }],
  ['prefer', { prefer: 'n1' }],
  ['desired', { desired: 'stopped' }],
  ['version', { version: 2 }],
  ['placement', { placement: { labels: { zone: 'b' } } }],
  ['restart', { restart: 'temporary' }],
  ['why', { why: 'spawned again' }],
  ['cause', { cause: 'crash' }],
])('a place with another %s is another one', (_what, more) => {
  const { put, of } = table();
  put(encodeAgent(record('a'), codec), 'counter.a');
  put(encodeAgent(record('b', more), codec), 'counter.b');
  expect(of('b')).toMatchObject(more);
  expect(of('b')).not.toBe(of('a'));
});

test('however many different ones there are, each is kept as it is', () => {
  const { put, of } = table();
  const count = 10_000;
  for (let index = 0; index < count; index++) put(encodeAgent(record(`${index}`, { why: `reason ${index}` }), codec), `counter.${index}`);
  for (let index = 0; index < count; index++) expect(of(`${index}`)?.why).toBe(`reason ${index}`);
});

test('a wish with an integer that none of us writes is kept, and shared with nobody', () => {
  const { put, of } = table();
  for (const id of ['a', 'b']) {
    const fields = codec.decode(encodeAgent(record(id), codec)) as unknown[];
    fields[7] = { later: 2n ** 60n };
    put(encode(fields, { useBigInt64: true }), `counter.${id}`);
  }
  expect(of('a')).toMatchObject({ desired: 'running', placement: { later: 2n ** 60n } });
  expect(of('b')).not.toBe(of('a'));
});
