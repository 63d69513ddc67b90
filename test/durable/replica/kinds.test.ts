import { expect, test } from 'vitest';
import { replicatedMap } from '../../../src/durable/replica/composed.ts';
import { orSet } from '../../../src/durable/replica/or-set.ts';
import { counterMaps, counters, records, registers, sets } from './kinds.ts';

const code = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test('of an add and a remove at the same time the add stays; what the remover had seen goes', () => {
  const both = sets.merge(sets.empty, sets.add(sets.empty, 'milk', 'a'));
  const removed = sets.merge(both, sets.remove(both, 'milk'));
  expect(sets.elements(removed)).toEqual([]);
  const again = sets.merge(both, sets.add(both, 'milk', 'b'));
  expect(sets.elements(sets.merge(removed, again))).toEqual(['milk']);
  const cleared = sets.merge(again, sets.clear(again));
  expect(sets.elements(sets.merge(cleared, again))).toEqual([]);
});

test('no tombstones: after ten thousand additions and removals an empty set is one run of one replica', () => {
  let set = sets.empty;
  for (let n = 0; n < 5_000; n++) {
    set = sets.merge(set, sets.add(set, `${n}`, 'a'));
    set = sets.merge(set, sets.remove(set, `${n}`));
  }
  expect(set).toEqual({ entries: {}, seen: { a: [1, 5_000] } });
});

test('elements are data: equal ones are one element, whatever the order of their fields', () => {
  const places = orSet<{ readonly x: number; readonly y: number }>();
  let set = places.merge(places.empty, places.add(places.empty, { x: 1, y: 2 }, 'a'));
  set = places.merge(set, places.add(set, { y: 2, x: 1 }, 'b'));
  expect([places.elements(set), places.has(set, { y: 2, x: 1 })]).toEqual([[{ x: 1, y: 2 }], true]);
  expect(code(() => sets.add(sets.empty, 'x'.repeat(2_000), 'a'))).toBe('payload-too-large');
  expect(code(() => orSet<unknown>().add(sets.empty, () => 1, 'a'))).toBe('not-encodable');
});

test('a counter counts what every replica added and took away', () => {
  let counter = counters.merge({}, counters.add({}, 5, 'a'));
  counter = counters.merge(counter, counters.add(counter, -7, 'b'));
  expect([counters.value(counter), counters.add(counter, 0, 'c')]).toEqual([-2, {}]);
  expect(code(() => counters.add(counter, 1.5, 'a'))).toBe('invalid-message');
  expect(code(() => counters.add(counter, Number.MAX_SAFE_INTEGER, 'a'))).toBe('quota-exceeded');
});

test('names that no replica may have, and keys that no map has', () => {
  for (const name of ['', '__proto__', 'ä', 'a b', 'x'.repeat(129), undefined as never]) {
    expect(code(() => counters.add({}, 1, name))).toBe('bad-id');
    expect(code(() => sets.add(sets.empty, 'x', name))).toBe('bad-id');
    expect(code(() => registers.set(null, 1, { replica: name, nowMs: 0 }))).toBe('bad-id');
  }
  for (const key of ['', '__proto__', '\ud800', 'x'.repeat(257)])
    expect(code(() => counterMaps.at({}, key, (value) => value))).toBe('bad-id');
  // These are names like any other.
  const counter = counters.merge(counters.add({}, 1, 'constructor'), counters.add({}, 2, 'hasOwnProperty'));
  expect(counters.value(counters.parse(JSON.parse(JSON.stringify(counter))))).toBe(3);
  expect(counters.value(counterMaps.get({}, 'toString'))).toBe(0);
});

test('every kind has its bound, and nothing is merged beyond it', () => {
  const crowd = (size: number, from = 0) => Object.fromEntries(Array.from({ length: size }, (_, n) => [`r${from + n}`, [1, 0] as const]));
  expect(code(() => counters.add(crowd(1_000), 1, 'new'))).toBe('quota-exceeded');
  expect(code(() => counters.merge(crowd(1_000), crowd(1, 1_000)))).toBe('quota-exceeded');
  expect(code(() => counters.parse(crowd(1_001)))).toBe('invalid-message');
  const full = {
    entries: Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`${n}`, { a: [n + 1, n + 1] }])),
    seen: { a: [1, 4_000] },
  };
  expect(sets.size(sets.parse(full))).toBe(4_000);
  expect(code(() => orSet<number>().add(full, 4_000, 'a'))).toBe('quota-exceeded');
  expect(code(() => orSet<number>().add(full, 3_999, 'a'))).toBeUndefined();
  const others = {
    entries: Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`${n + 2_000}`, { b: [n + 1, n + 1] }])),
    seen: { b: [1, 4_000] },
  };
  expect(code(() => sets.merge(full, others))).toBe('quota-exceeded');
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, { a: [1, 0] as const }]));
  expect(code(() => counterMaps.at(many, 'one more', (value) => counters.add(value, 1, 'a')))).toBe('quota-exceeded');
  expect(code(() => counterMaps.merge(many, { more: { a: [1, 0] } }))).toBe('quota-exceeded');
});

test('maps nest, and a record has the fields of a later version', () => {
  const nested = replicatedMap(replicatedMap(counters));
  const map = nested.merge(
    nested.empty,
    nested.at({}, 'eu', (inner) => counterMaps.at(inner, 'de', (counter) => counters.add(counter, 3, 'a'))),
  );
  expect(counters.value(counterMaps.get(nested.get(map, 'eu'), 'de'))).toBe(3);
  expect(records.parse({ votes: { a: [1, 0] } })).toEqual({ ...records.empty, votes: { a: [1, 0] } });
  expect(code(() => records.parse({ other: {} }))).toBe('invalid-message');
});

test('a count of minus zero is no count: merged one way or the other it would not be the same', () => {
  expect(code(() => counters.parse({ a: [1, -0] }))).toBe('invalid-message');
  expect(counters.parse({ a: [1, 0] })).toEqual({ a: [1, 0] });
});
