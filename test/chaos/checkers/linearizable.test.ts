import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearizable, type Model } from '../../../chaos/checkers/linearizable.ts';
import {
  type CounterOp,
  type CounterResult,
  counterModel,
  type RegisterOp,
  type RegisterResult,
  registerModel,
} from '../../../chaos/checkers/models.ts';
import type { Operation } from '../../../chaos/history.ts';
import { failed, ok, registerHistory, seeded } from '../support.ts';

type Register = Operation<RegisterOp, RegisterResult>;
const read = { type: 'read' } as const;
const write = (value: unknown) => ({ type: 'write', value }) as const;
const cas = (from: unknown, to: unknown) => ({ type: 'cas', from, to }) as const;
const verdict = (history: readonly Register[]): string => linearizable(registerModel, history).verdict;

describe('a good history is accepted', () => {
  test('when it is empty', () => expect(verdict([])).toBe('ok'));
  test('when overlapping calls took effect in the other order', () =>
    expect(verdict([ok([0, 10], write(1), { value: 1 }), ok([1, 9], read, { value: null }), ok([2, 8], read, { value: 1 })])).toBe('ok'));
  test('when a write of unknown outcome shows up late', () =>
    expect(verdict([failed([0, 5], write(1), 'info'), ok([10, 11], read, { value: null }), ok([20, 21], read, { value: 1 })])).toBe('ok'));
  test('when a write of unknown outcome never shows up', () =>
    expect(verdict([failed([0, 5], write(1), 'info'), ok([10, 11], read, { value: null })])).toBe('ok'));
  test('when a compare-and-set was refused with the value that was there', () =>
    expect(verdict([ok([0, 1], write(1), { value: 1 }), ok([2, 3], cas(7, 8), { mismatch: 1 }), ok([4, 5], read, { value: 1 })])).toBe(
      'ok',
    ));
  test('when values are objects whose keys come back in another order', () =>
    expect(verdict([ok([0, 1], write({ a: 1, b: [2] }), { value: { b: [2], a: 1 } }), ok([2, 3], read, { value: { b: [2], a: 1 } })])).toBe(
      'ok',
    ));
  test('when two keys would contradict each other', () =>
    expect(verdict([ok([0, 1], write(1), { value: 1 }), ok([2, 3], read, { value: null }, { key: 1 })])).toBe('ok'));
});

describe('a bad history is refused', () => {
  test('when a read is stale', () => expect(verdict([ok([0, 1], write(1), { value: 1 }), ok([2, 3], read, { value: null })])).toBe('bad'));
  test('when a read saw a write that was definitely refused', () =>
    expect(verdict([failed([0, 1], write(1), 'fail'), ok([2, 3], read, { value: 1 })])).toBe('bad'));
  test('when a write of unknown outcome is seen and then unseen', () =>
    expect(verdict([failed([0, 1], write(1), 'info'), ok([2, 3], read, { value: 1 }), ok([4, 5], read, { value: null })])).toBe('bad'));
  test('when a write is seen before it was asked for', () =>
    expect(verdict([ok([0, 1], read, { value: 1 }), ok([2, 3], write(1), { value: 1 })])).toBe('bad'));
  test('when two compare-and-sets from one value both won', () =>
    expect(verdict([ok([0, 9], cas(null, 1), { value: 1 }), ok([0, 9], cas(null, 2), { value: 2 })])).toBe('bad'));
  test('when a compare-and-set was refused with the value it expected', () =>
    expect(verdict([ok([0, 1], cas(null, 2), { mismatch: null })])).toBe('bad'));
  test('when later reads go back in time', () =>
    expect(verdict([ok([0, 9], write(1), { value: 1 }), ok([1, 2], read, { value: 1 }), ok([3, 4], read, { value: null })])).toBe('bad'));

  test('with a timeline that ends at the first answer that nothing explains', () => {
    const after = Array.from({ length: 50 }, (_, index) => ok([100 + index, 100.5 + index], read, { value: 2 }));
    const result = linearizable(registerModel, [
      ok([0, 1], write(1), { value: 1 }),
      ok([1.5, 8], write(2), { value: 2 }),
      ok([2, 3], read, { value: null }),
      ...after,
    ]);
    if (result.verdict !== 'bad') throw new Error(`verdict ${result.verdict}`);
    expect(result.violations[0]?.split('\n')).toEqual([
      'key 0 is not linearizable: no order of these calls explains the last answer',
      '  [============]                            0.0 ms {"type":"write","value":1} → {"value":1}',
      '                      [==================>  1.5 ms {"type":"write","value":2} → …',
      '*                           [============]  2.0 ms {"type":"read"} → {"value":null}',
    ]);
  });
});

test('a search beyond its budget is unknown, not ok', () => {
  const result = linearizable(registerModel, registerHistory(seeded(1), 60, { spreadMs: 400, info: 0.1 }), { maxStates: 50 });
  expect(result).toEqual({ verdict: 'unknown', reason: 'key 0: no decision within 50 configurations' });
});

test('forty additions of unknown outcome are judged, because equal ones are interchangeable', () => {
  const add = { type: 'add', by: 1 } as const;
  const open: Operation<CounterOp, CounterResult>[] = Array.from({ length: 40 }, (_, index) => failed([index, index + 1], add, 'info'));
  const get = (value: number) => linearizable(counterModel, [...open, ok([50, 51], { type: 'get' }, { value })]).verdict;
  expect([get(0), get(40), get(41)]).toEqual(['ok', 'ok', 'bad']);
});

describe('properties', () => {
  const generated = fc.record({ seed: fc.integer(), length: fc.integer({ min: 1, max: 60 }), spreadMs: fc.integer({ min: 0, max: 200 }) });

  test('an execution that took effect call by call is accepted, however its calls overlap', () => {
    fc.assert(
      fc.property(
        generated,
        ({ seed, length, spreadMs }) => verdict(registerHistory(seeded(seed), length, { spreadMs, info: 0.1 })) === 'ok',
      ),
      { numRuns: 200 },
    );
  });

  test('a value that nobody wrote is caught wherever it is answered', () => {
    fc.assert(
      fc.property(generated, fc.nat(), ({ seed, length, spreadMs }, at) => {
        const history = registerHistory(seeded(seed), length, { spreadMs, info: 0.1 });
        const answered = history.flatMap((each, index) => (each.outcome === 'ok' ? [index] : []));
        fc.pre(answered.length > 0);
        const wrong = answered[at % answered.length] as number;
        return (
          verdict(
            history.map((each, index) => (index === wrong && each.outcome === 'ok' ? { ...each, result: { value: 'nobody' } } : each)),
          ) === 'bad'
        );
      }),
      { numRuns: 200 },
    );
  });

  test('small histories, good and bad, are judged as by trying every order', () => {
    const op: fc.Arbitrary<RegisterOp> = fc.oneof(
      fc.constant(read),
      fc.integer({ min: 1, max: 2 }).map(write),
      fc.tuple(fc.constantFrom(null, 1, 2), fc.integer({ min: 1, max: 2 })).map(([from, to]) => cas(from, to)),
    );
    const result: fc.Arbitrary<RegisterResult> = fc
      .tuple(fc.boolean(), fc.constantFrom(null, 1, 2))
      .map(([met, value]) => (met ? { mismatch: value } : { value }));
    const operation: fc.Arbitrary<Register> = fc
      .record({ begin: fc.nat(8), took: fc.nat(8), op, result, fate: fc.constantFrom('ok', 'ok', 'ok', 'info', 'fail') })
      .map(({ begin, took, fate, ...each }) =>
        fate === 'ok'
          ? ok([begin, begin + took + 0.5], each.op, each.result)
          : failed([begin, begin + took + 0.5], each.op, fate as 'info' | 'fail'),
      );
    const seen = { ok: 0, bad: 0 };
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (history) => {
        const expected = everyOrder(registerModel, history) ? 'ok' : 'bad';
        seen[expected]++;
        expect(verdict(history)).toBe(expected);
      }),
      { numRuns: 3_000, seed: 7 },
    );
    expect(Math.min(seen.ok, seen.bad)).toBeGreaterThan(300);
  });
});

test.each([
  { info: 0.05, broken: false, expected: 'ok' },
  { info: 0.2, broken: true, expected: 'bad' },
])('300 operations per key are judged in well under a second ($expected, $info of unknown outcome)', ({ info, broken, expected }) => {
  const histories = Array.from({ length: 10 }, (_, seed) => {
    const history = registerHistory(seeded(seed), 300, { spreadMs: 120, info });
    const wrong = history.findIndex((each, index) => index >= 250 && each.outcome === 'ok');
    return history.map((each, index) =>
      broken && index === wrong && each.outcome === 'ok' ? { ...each, result: { value: 'nobody' } } : each,
    );
  });
  const startedMs = performance.now();
  const verdicts = new Set(histories.map(verdict));
  const perKeyMs = (performance.now() - startedMs) / histories.length;
  console.log(
    `linearizable: 300 operations per key, about 5 in flight, ${100 * info} % of unknown outcome, ${expected}: ${perKeyMs.toFixed(1)} ms per key`,
  );
  expect([...verdicts]).toEqual([expected]);
  expect(perKeyMs).toBeLessThan(2_000);
});

/** The definition itself: some subset of the open calls and some order that respects time explains all answers. */
function everyOrder<State, Op, Result>(model: Model<State, Op, Result>, history: readonly Operation<Op, Result>[]): boolean {
  const happened = history.filter((each) => each.outcome !== 'fail');
  const search = (state: State, rest: readonly Operation<Op, Result>[]): boolean =>
    rest.every((each) => each.outcome === 'info') ||
    rest.some((each) => {
      if (rest.some((other) => other.outcome === 'ok' && other.endedAtMs < each.invokedAtMs)) return false;
      const next = model.step(state, each.op, each.outcome === 'ok' ? each.result : undefined);
      return (
        next !== undefined &&
        search(
          next,
          rest.filter((other) => other !== each),
        )
      );
    });
  return search(model.init, happened);
}
