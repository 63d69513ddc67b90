import { expect, test } from 'vitest';
import { DEFAULT_TIMES, silenceMs } from '../../src/cluster/config.ts';
import { type JudgeEffect, type JudgeInput, judge, NO_CREDIT } from '../../src/cluster/judge.ts';

const step = judge(DEFAULT_TIMES);
function run(inputs: readonly (readonly [atMs: number, input: JudgeInput])[]): readonly (JudgeEffect & { readonly atMs: number })[] {
  let state = NO_CREDIT;
  return inputs.flatMap(([atMs, input]) => {
    const [next, effects] = step(state, input, atMs);
    state = next;
    return effects.map((effect) => ({ ...effect, atMs }));
  });
}
const renewed = (atMs: number, revision: number, node = 'n2') =>
  [atMs, { input: 'renewed', members: new Map([[node, revision]]) }] as const;
const every = (fromMs: number, toMs: number, revision: number, stepMs = 1_000) =>
  [...Array(Math.floor((toMs - fromMs) / stepMs) + 1).keys()].map((index) => renewed(fromMs + index * stepMs, revision));

test('a member that is silent through more than ttl and margin of our own renewals is declared gone at the revision first seen', () => {
  const [first] = run(every(0, 10_000, 40));
  expect(first).toEqual({ effect: 'declare-gone', node: 'n2', revision: 40, atMs: 6_000 });
  expect(first?.atMs).toBeGreaterThan(silenceMs(DEFAULT_TIMES));
});

test('a member that renews now and then is never judged', () => {
  expect(run([...every(0, 5_000, 40), ...every(6_000, 11_000, 41), ...every(12_000, 17_000, 42)])).toEqual([]);
});

test('time in which our own renewals did not succeed counts as two periods at most', () => {
  expect(run([renewed(0, 40), renewed(1_000, 40), renewed(61_000, 40)])).toEqual([]);
  expect(run([renewed(0, 40), ...every(60_000, 63_000, 40)])).toEqual([]);
});

test('a refusal, and a copy that started over, set the credit to zero', () => {
  for (const reset of [{ input: 'refused', node: 'n2' }, { input: 'copy-restarted' }] as const) {
    const effects = run([...every(0, 5_000, 40), [5_500, reset], ...every(6_000, 11_000, 40)]);
    expect(effects).toEqual([]);
    expect(run([...every(0, 5_000, 40), [5_500, reset], ...every(6_000, 12_000, 40)])).toHaveLength(1);
  }
});

test('a refusal of one member leaves the credit of another', () => {
  const both = (atMs: number) =>
    [
      atMs,
      {
        input: 'renewed',
        members: new Map([
          ['n2', 40],
          ['n3', 50],
        ]),
      },
    ] as const;
  const effects = run([
    ...[0, 1, 2, 3, 4, 5].map((second) => both(second * 1_000)),
    [5_500, { input: 'refused', node: 'n2' }],
    both(6_000),
  ]);
  expect(effects.map(({ node }) => node)).toEqual(['n3']);
});

test('a member that is no longer listed is forgotten', () => {
  expect(run([...every(0, 5_000, 40), [5_500, { input: 'renewed', members: new Map() }], renewed(6_000, 40), renewed(7_000, 40)])).toEqual(
    [],
  );
});
