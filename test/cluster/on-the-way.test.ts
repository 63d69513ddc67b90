import { expect, test } from 'vitest';
import { Mail } from '../../src/actor/envelope.ts';
import { OnTheWay } from '../../src/cluster/on-the-way.ts';

const entry = (text: string, expiresAtMs = 1_000) => ({
  envelope: new Mail({ kind: 'agent', type: 'counter', id: 'a' }, { type: 'get', text }, undefined),
  expiresAtMs,
  heldBytes: 0,
});

test('asks under way are remembered up to a number, the expired and then the oldest forgotten first', () => {
  const asks = new OnTheWay<ReturnType<typeof entry>>();
  asks.add(0, entry('', 5_000), 0);
  asks.add(1, entry('', 10), 0);
  for (let id = 2; id < 20_000; id++) asks.add(id, entry(''), 0);
  asks.add(20_000, entry(''), 20);
  expect([asks.get(0), asks.get(1)]).toEqual([expect.anything(), undefined]);
  asks.add(20_001, entry(''), 20);
  expect([asks.get(0), asks.get(2), asks.get(20_001)]).toEqual([undefined, expect.anything(), expect.anything()]);
});

test('and up to so many bytes; one that is larger than that alone is remembered alone', () => {
  const asks = new OnTheWay<ReturnType<typeof entry>>();
  const remembered = (): readonly number[] => [...Array(10).keys()].filter((id) => asks.get(id) !== undefined);
  for (let id = 0; id < 7; id++) asks.add(id, entry('x'.repeat(4_194_304)), 0);
  expect(remembered()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  asks.add(7, entry('x'.repeat(4_194_304)), 0);
  expect(remembered()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  asks.delete(7);
  asks.add(8, entry(''), 0);
  expect(remembered()).toEqual([1, 2, 3, 4, 5, 6, 8]);
  asks.add(9, entry('x'.repeat(50_000_000)), 0);
  expect(remembered()).toEqual([9]);
});
