import { expect, test } from 'vitest';
import { decodeState, FencedState, forgetState, type StateRecord } from '../../src/durable/fenced-state.ts';
import { NexaError } from '../../src/errors.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { answering, codec, outcome, storeWorld, TIME } from '../cluster/stores.ts';

const KEY = 'counter.a';
async function world() {
  const { clock, random, bucket, network } = storeWorld();
  const kv = await bucket('STATE');
  const come = <T>(promise: Promise<T>): Promise<T> => outcome(clock, promise);
  const abort = new AbortController();
  const at = (epoch: number, over: Kv = kv) => ({
    ...{ kv: over, key: KEY, codec, clock, random, storeMs: 500, epoch, version: 1, signal: abort.signal },
  });
  return {
    kv,
    clock,
    network,
    abort,
    at,
    come,
    open: (epoch: number, over?: Kv) => come(FencedState.open(at(epoch, over), (stored) => stored?.state ?? { value: 0 })),
    stored: async (): Promise<StateRecord> => decodeState((await come(kv.get(KEY, TIME)))?.value ?? new Uint8Array(), codec, KEY),
  };
}
const reply = (text: string) => new TextEncoder().encode(text);

test('opening writes the state with the new epoch; writes count without a gap and keep the request', async () => {
  const { open, come, stored } = await world();
  const state = await open(10);
  expect(await stored()).toMatchObject({ epoch: 10, n: 1, state: { value: 0 } });
  await come(state.commit({ state: { value: 1 }, request: ['r1', reply('one')] }));
  expect(await stored()).toMatchObject({ epoch: 10, n: 2, state: { value: 1 }, kept: { requests: [['r1', reply('one')]] } });
  const next = await open(20);
  expect(next.record).toMatchObject({ epoch: 20, n: 3, state: { value: 1 }, kept: { requests: [['r1', reply('one')]] } });
});

test('from then on a write of the older epoch is refused as fenced, and changes nothing', async () => {
  const { open, come, stored } = await world();
  const old = await open(10);
  await open(20);
  await expect(come(old.commit({ state: { value: 99 } }))).rejects.toMatchObject({ code: 'fenced', definite: false });
  expect(await stored()).toMatchObject({ epoch: 20, state: { value: 0 } });
});

test('an owner of an older epoch cannot open what a newer one opened', async () => {
  const { open, stored } = await world();
  await open(20);
  await expect(open(10)).rejects.toMatchObject({ code: 'fenced' });
  expect(await stored()).toMatchObject({ epoch: 20 });
});

test('after an unknown outcome the write is found by its record id, and not done twice', async () => {
  const { open, kv, come, stored } = await world();
  const state = await open(10, answering(kv, ['stored, unknown', 'stored, unknown']));
  expect(await stored()).toMatchObject({ epoch: 10, n: 1 });
  await come(state.commit({ state: { value: 1 } }));
  expect(await stored()).toMatchObject({ n: 2, state: { value: 1 } });
  await come(state.commit({ state: { value: 2 } }));
  expect(await stored()).toMatchObject({ n: 3, state: { value: 2 } });
});

test('what was lost is repeated, the same record, until it is stored', async () => {
  const { open, kv, come, stored } = await world();
  const ids: string[] = [];
  const watched = answering(kv, ['lost', 'lost', 'lost', 'lost', 'lost']);
  const over: Kv = {
    ...watched,
    update: (key, value, ...rest) => {
      ids.push(decodeState(value, codec, key).recordId);
      return watched.update(key, value, ...rest);
    },
  };
  const state = await open(10, over);
  ids.length = 0;
  const writing = state.commit({ state: { value: 1 } });
  await come(writing);
  expect(new Set(ids).size).toBe(1);
  expect(await stored()).toMatchObject({ recordId: ids[0], state: { value: 1 } });
});

test('a full store refuses at once, but not as a definite answer once an earlier try is in doubt', async () => {
  const { kv, open, come, stored } = await world();
  const full = new NexaError('quota-exceeded', 'the store is full');
  let answers: ('unknown' | 'full')[] = [];
  const sometimesFull: Kv = {
    ...kv,
    get: (key, options) => kv.get(key, options),
    create: (key, value, options) => kv.create(key, value, options),
    update: async (key, value, revision, options) => {
      const next = answers.shift();
      if (next === 'full') throw full;
      return next === 'unknown' ? { written: 'unknown' } : kv.update(key, value, revision, options);
    },
  };
  const state = await open(10, sometimesFull);
  answers = ['full'];
  await expect(come(state.commit({ state: { value: 1 } }))).rejects.toBe(full);
  answers = ['unknown', 'full', 'full'];
  await come(state.commit({ state: { value: 2 } }));
  expect(await stored()).toMatchObject({ n: 2, state: { value: 2 } });
});

test('a refusal without a later record to read proves nothing: it is tried again', async () => {
  const { open, kv, come, stored } = await world();
  const state = await open(10, answering(kv, ['no', 'no']));
  await come(state.commit({ state: { value: 1 } }));
  expect(await stored()).toMatchObject({ n: 2, state: { value: 1 } });
});

test('reads that lag behind, or show nothing, only delay it', async () => {
  const { open, kv, come, stored } = await world();
  await open(10);
  const before = await come(kv.get(KEY, TIME));
  const owner = await open(20);
  await come(owner.commit({ state: { value: 5 } }));
  let late = 4;
  const lagging: Kv = { ...kv, get: (...given) => (late-- > 0 ? Promise.resolve(late % 2 === 0 ? before : undefined) : kv.get(...given)) };
  expect((await open(30, lagging)).record).toMatchObject({ epoch: 30, state: { value: 5 } });
  expect(await stored()).toMatchObject({ epoch: 30, state: { value: 5 } });
});

test('a write of the older owner that lands while the new one opens is taken over, not lost', async () => {
  const { open, kv, stored } = await world();
  const old = await open(10);
  let slipped = false;
  const racing: Kv = {
    ...kv,
    update: async (...given) => {
      if (!slipped) {
        slipped = true;
        await old.commit({ state: { value: 7 }, request: ['r', reply('seven')] });
      }
      return kv.update(...given);
    },
  };
  const opened = await open(20, racing);
  expect(opened.record).toMatchObject({ epoch: 20, state: { value: 7 }, kept: { requests: [['r', reply('seven')]] } });
  expect(await stored()).toMatchObject({ epoch: 20, state: { value: 7 } });
});

test('a tombstone is fenced: a lower epoch deletes nothing, its own does, and what comes after begins anew', async () => {
  const { open, at, come, stored } = await world();
  const state = await open(10);
  await come(state.commit({ state: { value: 9 }, request: ['r', reply('nine')] }));
  await come(forgetState(at(5)));
  expect(await stored()).toMatchObject({ epoch: 10, state: { value: 9 } });
  await come(forgetState(at(11)));
  expect(await stored()).toMatchObject({ epoch: 11, state: undefined });
  expect((await open(20)).record).toMatchObject({ epoch: 20, state: { value: 0 }, kept: { requests: [] } });
});

test('an activation that is over gives up what is not resolved', async () => {
  const { open, network, abort, clock } = await world();
  const state = await open(10);
  network.faults.election(1e9);
  const writing = state.commit({ state: { value: 1 } });
  writing.catch(() => undefined);
  await clock.advance(10_000);
  abort.abort();
  await expect(outcome(clock, writing)).rejects.toMatchObject({ code: 'fenced', definite: false });
});

test('a record that cannot be read is corrupt, one of a later layout unknown: neither is overwritten', async () => {
  const { kv, come, open } = await world();
  await come(kv.create(KEY, codec.encode({ what: 'ever' }), TIME));
  await expect(open(10)).rejects.toMatchObject({ code: 'corrupt-record', where: { key: KEY } });
  await come(kv.update(KEY, new Uint8Array([0xc1]), 1, TIME));
  await expect(open(10)).rejects.toMatchObject({ code: 'corrupt-record', where: { key: KEY } });
  await come(kv.update(KEY, codec.encode([3, 'x', 1, 1, 1, null, []]), 2, TIME));
  await expect(open(10)).rejects.toMatchObject({ code: 'unknown-version' });
  expect((await come(kv.get(KEY, TIME)))?.revision).toBe(3);
});

test('to forget a state that nobody can read buries it; what a later release wrote is left alone', async () => {
  const { kv, come, open, at } = await world();
  await come(kv.create(KEY, new Uint8Array([0xc1]), TIME));
  await come(forgetState(at(10)));
  expect((await come(open(11))).state).toEqual({ value: 0 });
  const later = codec.encode([3, 'x', 99, 1, 1, null, []]);
  const { revision } = (await come(kv.get(KEY, TIME))) as { readonly revision: number };
  await come(kv.update(KEY, later, revision, TIME));
  await expect(come(forgetState(at(12)))).rejects.toMatchObject({ code: 'unknown-version' });
  expect((await come(kv.get(KEY, TIME)))?.value).toEqual(later);
});

test('a store that is not there any more is named after some answers, not waited for for ever', async () => {
  const { open, kv, come } = await world();
  let gone = false;
  const missing = (): never => {
    throw new NexaError('unavailable', 'stream not found', { where: { store: 'KV_S', missing: 'true' } });
  };
  const over: Kv = {
    ...kv,
    update: async (...given) => (gone ? { written: 'unknown' } : kv.update(...given)),
    get: async (...given) => (gone ? missing() : kv.get(...given)),
  };
  const state = await open(10, over);
  gone = true;
  await expect(come(state.commit({ state: { value: 1 } }))).rejects.toMatchObject({
    code: 'store-misconfigured',
    message: 'the store KV_S is missing',
    definite: false,
  });
});

test('a store that shows less than it acknowledged is not believed at once, but it is not waited for for ever', async () => {
  const { open, kv, come, clock } = await world();
  let showsFromMs = 0;
  const stale = (): boolean => clock.monotonicMs() < showsFromMs;
  const over: Kv = {
    ...kv,
    update: async (...given) => (stale() ? { written: 'unknown' } : kv.update(...given)),
    get: async (...given) => (stale() ? undefined : kv.get(...given)),
    removed: async (...given) => !stale() && kv.removed(...given),
  };
  const state = await open(10, over);
  // As an isolated leader does.
  showsFromMs = clock.monotonicMs() + 16_000;
  await come(state.commit({ state: { value: 1 } }));
  showsFromMs = Number.POSITIVE_INFINITY;
  const beganMs = clock.monotonicMs();
  await expect(come(state.commit({ state: { value: 2 } }))).rejects.toMatchObject({ code: 'store-misconfigured', definite: false });
  expect(clock.monotonicMs() - beganMs).toBeGreaterThan(20_000);
});

test('a state that somebody deleted under its owner is named at once, as what nobody can read any more, and not begun anew behind its back', async () => {
  const { open, kv, come, clock } = await world();
  const state = await open(10);
  const { revision } = (await come(kv.get(KEY, TIME))) as { readonly revision: number };
  await come(kv.delete(KEY, revision, TIME));
  const beganMs = clock.monotonicMs();
  await expect(come(state.commit({ state: { value: 1 } }))).rejects.toMatchObject({
    code: 'corrupt-record',
    definite: false,
    where: { store: 'STATE', key: KEY, revision: String(revision) },
    fix: expect.stringContaining('spawn the agent again'),
  });
  expect(clock.monotonicMs() - beganMs).toBeLessThan(1_000);
  expect(await come(kv.get(KEY, TIME))).toBeUndefined();
});
