import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allForOne, backoffMs, oneForOne, restForOne } from '../../src/actor/strategy.ts';
import { NexaError } from '../../src/errors.ts';

test('a strategy is data with defaults, and decides to restart', () => {
  expect(
    [oneForOne(), restForOne({ maxRestarts: 1 }), allForOne({ withinMs: 5 })].map(({ scope, maxRestarts, withinMs }) => [
      scope,
      maxRestarts,
      withinMs,
    ]),
  ).toEqual([
    ['one', 5, 60_000],
    ['rest', 1, 60_000],
    ['all', 5, 5],
  ]);
  expect(oneForOne().decide(new NexaError('crashed', 'x'))).toBe('restart');
});

test.each([
  { maxRestarts: -1 },
  { maxRestarts: 1.5 },
  { maxRestarts: Number.NaN },
  { withinMs: 0 },
  { backoff: { minMs: 2, maxMs: 1, factor: 2, jitter: 0 } },
  { backoff: { minMs: 1, maxMs: 2, factor: 0.5, jitter: 0 } },
  { backoff: { minMs: 1, maxMs: 2, factor: 1, jitter: 2 } },
  { decide: 'restart' as never },
])('%o makes none', (options) => {
  expect(() => oneForOne(options)).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
});

test('a back-off grows from its minimum, stays below its maximum and spreads by its jitter', () => {
  const share = fc.double({ min: 0, max: 0.999_999, noNaN: true });
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000 }),
      fc.nat({ max: 60_000 }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      share,
      fc.integer({ min: 1, max: 500 }),
      share,
      (minMs, more, factor, jitter, nth, chance) => {
        const backoff = { minMs, maxMs: minMs + more, factor, jitter };
        const delayMs = backoffMs(backoff, nth, chance);
        expect(delayMs).toBeGreaterThanOrEqual(minMs * (1 - jitter) - 1e-6);
        expect(delayMs).toBeLessThanOrEqual(backoff.maxMs * (1 + jitter) + 1e-6);
        expect(backoffMs(backoff, nth + 1, chance)).toBeGreaterThanOrEqual(delayMs - 1e-6);
      },
    ),
  );
});
