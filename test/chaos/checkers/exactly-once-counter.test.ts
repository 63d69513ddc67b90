import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactlyOnceCounter } from '../../../chaos/checkers/exactly-once-counter.ts';
import type { CounterOp, CounterResult } from '../../../chaos/checkers/models.ts';
import type { Operation } from '../../../chaos/history.ts';
import { failed, ok, seeded } from '../support.ts';

type Counted = Operation<CounterOp, CounterResult>;
const add = (by: number) => ({ type: 'add', by }) as const;
const get = { type: 'get' } as const;
const found = (history: readonly Counted[], final?: number): string => {
  const result = exactlyOnceCounter(history, new Map(final === undefined ? [] : [[0, final]]));
  return result.verdict === 'bad' ? result.violations.join('\n') : result.verdict;
};

describe('a good history is accepted', () => {
  test('when every acknowledged addition is there', () =>
    expect(found([ok([0, 1], add(2), { value: 2 }), ok([2, 3], add(3), { value: 5 })], 5)).toBe('ok'));
  test('when an addition of unknown outcome is there, and when it is not', () => {
    const history = [ok([0, 1], add(2), { value: 2 }), failed([2, 3], add(3), 'info')];
    expect([found(history, 2), found(history, 5)]).toEqual(['ok', 'ok']);
  });
  test('when a repeat under one request id is answered with the stored reply', () =>
    expect(
      found(
        [
          failed([0, 1], add(2), 'info', { requestId: 'a' }),
          ok([2, 3], add(1), { value: 3 }, { requestId: 'b' }),
          ok([4, 5], add(2), { value: 2 }, { requestId: 'a' }),
        ],
        3,
      ),
    ).toBe('ok'));
  test('when a repeat is definitely refused, although its first attempt may have happened', () => {
    const history = [failed([0, 1], add(2), 'info', { requestId: 'a' }), failed([2, 3], add(2), 'fail', { requestId: 'a' })];
    expect([found(history, 0), found(history, 2)]).toEqual(['ok', 'ok']);
  });
});

describe('a bad history is refused', () => {
  test('when an acknowledged addition is lost', () =>
    expect(found([ok([0, 1], add(2), { value: 2 }), ok([2, 3], add(3), { value: 5 })], 2)).toMatch('3 is lost'));
  test('when an addition counts twice', () => expect(found([ok([0, 1], add(2), { value: 2 })], 4)).toMatch('2 too much'));
  test('when an addition that was definitely refused counts', () =>
    expect(found([failed([0, 1], add(2), 'fail')], 2)).toMatch('2 too much'));
  test('when both attempts of one request count', () =>
    expect(found([failed([0, 1], add(2), 'info', { requestId: 'a' }), ok([2, 3], add(2), { value: 4 }, { requestId: 'a' })], 4)).toMatch(
      '2 too much',
    ));
  test('when the attempts of one request are answered differently', () =>
    expect(found([ok([0, 1], add(2), { value: 2 }, { requestId: 'a' }), ok([2, 3], add(2), { value: 4 }, { requestId: 'a' })], 4)).toMatch(
      'took effect more than once',
    ));
  test('when two requests are answered alike', () =>
    expect(found([ok([0, 5], add(2), { value: 2 }), ok([1, 5], add(2), { value: 2 })], 4)).toMatch('one of them is lost'));
  test('when a read misses what was acknowledged before it', () =>
    expect(found([ok([0, 1], add(2), { value: 2 }), ok([2, 3], get, { value: 0 })], 2)).toMatch('an effect is lost'));
  test('when a read sees more than was ever asked for', () =>
    expect(found([ok([0, 1], add(2), { value: 2 }), ok([2, 3], get, { value: 4 })], 2)).toMatch('an effect is doubled'));
  test('when the total lies between the bounds but no choice of additions gives it', () =>
    expect(found([failed([0, 1], add(2), 'info'), failed([2, 3], add(4), 'info')], 3)).toMatch('no choice of the 2 additions'));
});

describe('what cannot be judged is unknown', () => {
  test('without a final value', () => expect(found([ok([0, 1], add(2), { value: 2 })])).toBe('unknown'));
  test('with additions that are not positive integers', () => expect(found([ok([0, 1], add(-2), { value: -2 })], -2)).toBe('unknown'));
});

test('a correct counter is accepted and one lost or doubled effect is caught, whatever failed around it', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 100 }), (seed, length) => {
      const random = seeded(seed);
      let value = 0;
      const acknowledged: number[] = [];
      const history: Counted[] = Array.from({ length }, (_, index): Counted => {
        const times = [index * 10, index * 10 + 5] as const;
        const by = 1 + Math.floor(random.next() * 5);
        const roll = random.next();
        if (roll < 0.1) return failed(times, add(by), 'fail');
        if (roll < 0.2) return ok(times, get, { value });
        if (roll < 0.9 || random.next() < 0.5) value += by;
        if (roll >= 0.9) return failed(times, add(by), 'info');
        acknowledged.push(by);
        return ok(times, add(by), { value });
      });
      expect(found(history, value)).toBe('ok');
      const most = history.reduce((total, each) => total + (each.outcome !== 'fail' && each.op.type === 'add' ? each.op.by : 0), 0);
      const least = acknowledged.reduce((total, by) => total + by, 0);
      expect(found(history, most + 1)).toMatch('too much');
      if (least > 0) expect(found(history, least - 1)).toMatch('is lost');
    }),
    { numRuns: 200 },
  );
});
