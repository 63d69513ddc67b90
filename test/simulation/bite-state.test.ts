import { expect, test } from 'vitest';
import { decodeState, encodeState } from '../../src/durable/fenced-state.ts';
import { NOTHING_KEPT } from '../../src/durable/kept.ts';
import { bitten, codec, kvBroken, stubborn } from './bite.ts';

test('no fence: a stale write is stored over whatever is there', { timeout: 300_000 }, async () => {
  const breaks = kvBroken('STATE', stubborn);
  const faults = ['store cut', 'isolate', 'pause'] as const;
  const { found, objections } = await bitten({
    bug: 'no fence',
    faults,
    loads: ['counters', 'lists', 'registers', 'visitors'],
    seeds: 30,
    breaks,
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|missed/);
});

test('fence with the number from the error: what was replayed is older than what it is put above', { timeout: 300_000 }, async () => {
  const breaks = kvBroken('STATE', (kv) => ({
    ...kv,
    update: async (key, value, revision, options) => {
      const outcome = await kv.update(key, value, revision, options);
      if (outcome.written !== 'no') return outcome;
      const found = await kv.get(key, options);
      if (found === undefined || decodeState(value, codec, key).epoch <= decodeState(found.value, codec, key).epoch) return outcome;
      return kv.update(key, value, found.revision, options);
    },
  }));
  const { found, objections } = await bitten({
    ...{ bug: 'fence with the number from the error', faults: ['crash with proof', 'leave'], loads: ['counters', 'lists'], seeds: 20 },
    ...{ weather: { staleRead: 200 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|missed/);
});

test('compare (epoch, n) instead of the record id: another record is taken for the own one', { timeout: 300_000 }, async () => {
  const breaks = kvBroken('STATE', (kv) => {
    const tried = new Map<string, ReturnType<typeof decodeState>>();
    return {
      ...kv,
      update: (key, value, revision, options) => {
        tried.set(key, decodeState(value, codec, key));
        return kv.update(key, value, revision, options);
      },
      get: async (key, options) => {
        const found = await kv.get(key, options);
        if (found === undefined) return undefined;
        const record = decodeState(found.value, codec, key);
        const mine = tried.get(key);
        if (mine?.epoch !== record.epoch || mine.n !== record.n) return found;
        return { ...found, value: encodeState({ ...record, recordId: mine.recordId }, codec) };
      },
    };
  });
  const { found, objections } = await bitten({
    ...{ bug: 'compare (epoch, n) instead of the record id', faults: ['wall jump'], loads: ['visitors', 'churn'], seeds: 20 },
    ...{ weather: { staleRead: 200 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/lost|missed/);
});

test('dedupe in memory only: what was handled is forgotten with its node', { timeout: 300_000 }, async () => {
  const forget = (value: Uint8Array, key: string): Uint8Array =>
    encodeState({ ...decodeState(value, codec, key), kept: NOTHING_KEPT }, codec);
  const breaks = kvBroken('STATE', (kv) => ({
    ...kv,
    create: (key, value, options) => kv.create(key, forget(value, key), options),
    update: (key, value, revision, options) => kv.update(key, forget(value, key), revision, options),
  }));
  const faults = ['crash with proof', 'one way', 'crash'] as const;
  const { found, objections } = await bitten({
    bug: 'dedupe in memory only',
    faults,
    loads: ['counters', 'lists', 'letters'],
    seeds: 30,
    breaks,
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/more than once|doubled|too much/);
});
