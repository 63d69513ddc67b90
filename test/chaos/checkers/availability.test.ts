import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { availability, unavailable, uncovered } from '../../../chaos/checkers/availability.ts';
import type { Operation } from '../../../chaos/history.ts';
import { NexaError } from '../../../src/errors.ts';
import { failed, ok, seeded } from '../support.ts';

type Seen = Operation<unknown, unknown>;
const answered = (fromMs: number, untilMs: number, key = 0): Seen => ok([fromMs, untilMs], 'x', 1, { key });
const windows = (history: readonly Seen[], untilMs = 10_000) =>
  unavailable(history, { untilMs }).map(({ key, fromMs, untilMs: endMs }) => [key, fromMs, endMs]);

describe('a key is unavailable', () => {
  test('never while answers come', () => expect(windows([answered(0, 100), answered(200, 400), answered(500, 700)])).toEqual([]));
  test('from the call that has to wait until it is answered', () =>
    expect(windows([answered(0, 100), answered(200, 900)])).toEqual([[0, 200, 900]]));
  test('through calls that are given up, one after the other', () =>
    expect(windows([failed([100, 300], 'x', 'info'), failed([350, 600], 'x', 'fail'), answered(650, 700)])).toEqual([[0, 100, 700]]));
  test('not while nobody asks', () =>
    expect(windows([failed([100, 200], 'x', 'info'), answered(5_000, 5_010), answered(9_000, 9_010)])).toEqual([]));
  test('not while others than the one that waits are answered', () =>
    expect(
      windows([failed([0, 4_000], 'x', 'info'), ...Array.from({ length: 40 }, (_, index) => answered(index * 100, index * 100 + 50))]),
    ).toEqual([]));
  test('until the observation ends, if it never answers', () =>
    expect(windows([failed([100, Number.POSITIVE_INFINITY], 'x', 'info')], 1_000)).toEqual([[0, 100, 1_000]]));
  test('by itself: another key may answer', () =>
    expect(windows([answered(0, 800, 1), answered(0, 10, 2), answered(400, 410, 2)])).toEqual([[1, 0, 800]]));
  test('not when its agent refuses by its own rules', () => {
    const refused: Seen = { ...failed([300, 310], 'x', 'fail'), outcome: 'fail', error: new NexaError('refused', 'no') };
    expect(windows([failed([100, 280], 'x', 'info'), refused, answered(500, 510)])).toEqual([]);
  });
});

describe('outside of what faults may cost', () => {
  const judge = (history: readonly Seen[], allowed: { fromMs: number; untilMs: number }[]) =>
    availability({ operations: history, allowed, mostMs: 500, untilMs: 10_000 });
  const silent = [answered(0, 100), answered(1_000, 5_000)];
  test('silence is found', () =>
    expect(judge(silent, [])).toEqual({
      verdict: 'bad',
      violations: ['key 0 was asked and did not answer for 4000 ms from 1000 ms on, beyond what any fault may cost'],
    }));
  test('silence of a fault and what it may take afterwards is right', () =>
    expect(judge(silent, [{ fromMs: 900, untilMs: 4_600 }])).toEqual({ verdict: 'ok' }));
  test('silence that goes on longer is found, for the part beyond', () =>
    expect(judge(silent, [{ fromMs: 900, untilMs: 2_000 }])).toMatchObject({
      violations: [expect.stringContaining('3000 ms from 2000 ms on')],
    }));
  test('silence before the fault is found', () =>
    expect(judge(silent, [{ fromMs: 2_000, untilMs: 9_000 }])).toMatchObject({ verdict: 'bad' }));
  test('two faults may cover it together', () =>
    expect(
      judge(silent, [
        { fromMs: 3_000, untilMs: 9_000 },
        { fromMs: 0, untilMs: 3_100 },
      ]),
    ).toEqual({ verdict: 'ok' }));
});

test('what is not covered is exactly what lies in none of the others', () => {
  const within = fc.integer({ min: 0, max: 30 });
  const interval = fc.tuple(within, within).map(([a, b]) => ({ fromMs: Math.min(a, b), untilMs: Math.max(a, b) }));
  fc.assert(
    fc.property(interval, fc.array(interval, { maxLength: 6 }), (whole, by) => {
      const left = uncovered(whole, by);
      const inside = (atMs: number, each: { fromMs: number; untilMs: number }): boolean => each.fromMs <= atMs && atMs < each.untilMs;
      for (let atMs = 0; atMs < 30; atMs++)
        expect(left.some((each) => inside(atMs, each))).toBe(inside(atMs, whole) && !by.some((each) => inside(atMs, each)));
    }),
  );
});

test('a window begins with a call, ends with an answer or a last attempt, and no answer lies inside', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, length) => {
      const random = seeded(seed);
      const history = Array.from({ length }, (_, index): Seen => {
        const fromMs = index * 100 + random.next() * 400;
        const times = [fromMs, fromMs + random.next() * 900] as const;
        return random.next() < 0.4 ? answered(...times) : failed(times, 'x', random.next() < 0.5 ? 'fail' : 'info');
      });
      const answers = history.filter(({ outcome }) => outcome === 'ok').map(({ endedAtMs }) => endedAtMs);
      for (const { fromMs, untilMs } of unavailable(history, { untilMs: 10_000 })) {
        expect(answers.filter((atMs) => atMs > fromMs && atMs < untilMs)).toEqual([]);
        expect(history.some((each) => each.invokedAtMs <= fromMs && each.endedAtMs > fromMs)).toBe(true);
        expect(history.some((each) => each.endedAtMs === untilMs)).toBe(true);
      }
    }),
  );
});
