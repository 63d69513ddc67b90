import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SetOp, type SetResult, setFull, setReport } from '../../../chaos/checkers/set-full.ts';
import type { Operation } from '../../../chaos/history.ts';
import { failed, ok, seeded } from '../support.ts';

type Seen = Operation<SetOp, SetResult>;
const add = (value: number) => ({ type: 'add', value }) as const;
const added = (atMs: number, value: number): Seen => ok([atMs, atMs + 1], add(value), {});
const read = (atMs: number, ...values: number[]): Seen => ok([atMs, atMs + 1], { type: 'read' }, { values });
const found = (history: readonly Seen[], final?: readonly number[], atOnce = false): string => {
  const result = setFull(history, new Map(final === undefined ? [] : [[0, { values: final }]]), { atOnce });
  return result.verdict === 'bad' ? result.violations.join('\n') : result.verdict;
};

describe('a good history is accepted', () => {
  test('when everything that was acknowledged is there once', () =>
    expect(found([added(0, 1), added(2, 2), read(4, 1, 2)], [2, 1])).toBe('ok'));
  test('when what nobody knows is there, and when it is not', () => {
    const history = [failed([0, 1], add(1), 'info')];
    expect([found(history, [1]), found(history, [])]).toEqual(['ok', 'ok']);
    expect(setReport(history, []).neverRead).toEqual([1]);
  });
  test('when a stored one is seen later, unless it has to be seen at once', () => {
    const history = [added(0, 1), read(10, ...[]), read(20, 1)];
    expect(found(history, [1])).toBe('ok');
    expect(found(history, [1], true)).toMatch('1 was acknowledged, and still not seen 9 ms later');
  });
  test('when a read that began before the acknowledgement misses it', () =>
    expect(found([ok([0, 10], add(1), {}), ok([5, 20], { type: 'read' }, { values: [] })], [1], true)).toBe('ok'));
  test('when a repeat of what nobody knows is acknowledged', () =>
    expect(found([failed([0, 1], add(1), 'info', { requestId: 'a' }), ok([2, 3], add(1), {}, { requestId: 'a' })], [1])).toBe('ok'));
});

describe('a bad history is refused', () => {
  const four = [added(0, 1), added(2, 2), added(4, 3), added(6, 4)];
  test('when the beginning is lost, the end, or something between', () => {
    expect(found(four, [2, 3, 4])).toMatch('1 was acknowledged and is lost (the prefix of 4; 1 in all)');
    expect(found(four, [1, 2])).toMatch('4 was acknowledged and is lost (the postfix of 4; 2 in all)');
    expect(found(four, [1, 4])).toMatch('2 was acknowledged and is lost (the middle of 4; 2 in all)');
  });
  test('when all is lost', () => expect(found(four, [])).toMatch('1 was acknowledged and is lost (all 4 are)'));
  test('when one takes effect twice', () => expect(found([added(0, 1)], [1, 1])).toBe('key 0: 1 took effect 2 times'));
  test('when one was there twice on the way', () => expect(found([added(0, 1), read(2, 1, 1)], [1])).toBe('key 0: 1 took effect 2 times'));
  test('when one that was definitely refused is there', () =>
    expect(found([failed([0, 1], add(1), 'fail')], [1])).toMatch('1 was definitely refused, and is there'));
  test('when nobody added it', () => expect(found([read(0)], [7])).toMatch('7 is there, which nobody added'));
  test('when one that was seen is missing in a later read, though it comes back', () =>
    expect(found([failed([0, 1], add(1), 'info'), read(2, 1), read(5)], [1])).toMatch('1 was seen, and a later read does not see it'));
  test('when one that nobody knows was seen, and is gone in the end', () =>
    expect(found([failed([0, 1], add(1), 'info'), read(2, 1)], [])).toMatch('1 was seen, and a later read does not see it'));
});

test('without a final read it is unknown', () => expect(found([added(0, 1)])).toBe('unknown'));

/** By the definitions, value by value, with nothing clever. */
function plainly(history: readonly Seen[], final: readonly number[], value: number): readonly string[] {
  const addition = history.find((each) => each.op.type === 'add' && each.op.value === value);
  const reads = history.flatMap((each) =>
    each.op.type === 'read' && each.outcome === 'ok'
      ? [{ fromMs: each.invokedAtMs, untilMs: each.endedAtMs, values: each.result.values ?? [] }]
      : [],
  );
  const every = [...reads, { fromMs: 1e9, untilMs: 1e9, values: final }];
  const times = Math.max(...every.map((each) => each.values.filter((one) => one === value).length));
  const lost = addition?.outcome === 'ok' && !final.includes(value);
  return [
    ...(lost ? ['lost'] : []),
    ...(times > 1 ? ['duplicated'] : []),
    ...(times > 0 && addition === undefined ? ['unasked'] : []),
    ...(times > 0 && addition?.outcome === 'fail' ? ['refused'] : []),
    ...(times === 0 && addition?.outcome === 'info' ? ['neverRead'] : []),
    ...(addition?.outcome === 'ok' &&
    final.includes(value) &&
    reads.some((each) => each.fromMs > addition.endedAtMs && !each.values.includes(value))
      ? ['stale']
      : []),
    ...(!lost &&
    every.some((early) => early.values.includes(value) && every.some((late) => late.fromMs > early.untilMs && !late.values.includes(value)))
      ? ['vanished']
      : []),
  ];
}

test('it finds exactly what the definitions say, whatever the history', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 14 }), (seed, length) => {
      const random = seeded(seed);
      const some = (): number[] => [0, 1, 2, 3, 4].flatMap((value) => Array(Math.floor(random.next() * 2.3)).fill(value));
      let value = 0;
      const history = Array.from({ length }, (_, index): Seen => {
        const times = [index * 3, index * 3 + Math.floor(random.next() * 9)] as const;
        const roll = random.next();
        if (roll < 0.5 || value > 3) return ok(times, { type: 'read' }, { values: some() });
        if (roll < 0.7) return ok(times, add(value++), {});
        return failed(times, add(value++), roll < 0.85 ? 'fail' : 'info');
      });
      const final = some();
      const report = setReport(history, final);
      const said = (one: number): string[] =>
        (['lost', 'duplicated', 'unasked', 'refused', 'neverRead', 'stale', 'vanished'] as const).filter((what) =>
          report[what].some((each) => (typeof each === 'object' ? each.value : each) === one),
        );
      for (const one of [0, 1, 2, 3, 4]) expect(said(one)).toEqual(plainly(history, final, one));
    }),
    { numRuns: 500 },
  );
});
