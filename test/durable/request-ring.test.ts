import { expect, test } from 'vitest';
import { type HandledRequest, RING_BYTES, RING_COUNT, recall, remember } from '../../src/durable/request-ring.ts';

const handled = (id: string, bytes = 10): HandledRequest => [id, new Uint8Array(bytes).fill(id.length)];
const after = (requests: readonly HandledRequest[]) => requests.reduce<readonly HandledRequest[]>(remember, []);

test('what was handled is recalled by its id, and nothing else is', () => {
  const ring = after([handled('a'), handled('bb')]);
  expect(recall(ring, 'bb')).toEqual(new Uint8Array(10).fill(2));
  expect(recall(ring, 'c')).toBeUndefined();
});

test('the last 256 are kept, the oldest goes first', () => {
  const ring = after([...Array(RING_COUNT + 10).keys()].map((index) => handled(`r${index}`)));
  expect(ring).toHaveLength(RING_COUNT);
  expect(recall(ring, 'r9')).toBeUndefined();
  expect(recall(ring, 'r10')).toEqual(new Uint8Array(10).fill(3));
});

test('an id that is handled again moves to the end with its new reply', () => {
  const ring = after([handled('a'), handled('b'), handled('a', 3)]);
  expect(ring.map(([id]) => id)).toEqual(['b', 'a']);
  expect(recall(ring, 'a')).toHaveLength(3);
});

test('all replies together are bounded in bytes; the newest is always kept', () => {
  const ring = after([...Array(100).keys()].map((index) => handled(`r${index}`, 10_000)));
  expect(ring.reduce((bytes, [, reply]) => bytes + reply.byteLength, 0)).toBeLessThanOrEqual(RING_BYTES);
  expect(ring.length).toBeGreaterThan(10);
  expect(after([handled('small'), handled('huge', 2 * RING_BYTES)]).map(([id]) => id)).toEqual(['huge']);
});
