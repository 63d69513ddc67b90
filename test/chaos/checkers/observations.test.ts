import { describe, expect, test } from 'vitest';
import { convergence } from '../../../chaos/checkers/convergence.ts';
import { epochs } from '../../../chaos/checkers/epochs.ts';
import { oneOutcome } from '../../../chaos/checkers/one-outcome.ts';
import { terminatedOnce } from '../../../chaos/checkers/terminated-once.ts';
import { verdictOf, worstOf } from '../../../chaos/checkers/verdict.ts';
import { failed, ok } from '../support.ts';

const ok_ = { verdict: 'ok' };
const bad = (...violations: string[]) => ({ verdict: 'bad', violations });

describe('one outcome per ask', () => {
  const judge = (settledAtMs: number[], untilMs = 1_000) =>
    oneOutcome([{ name: 'a', invokedAtMs: 0, timeoutMs: 100, settledAtMs }], { toleranceMs: 20, untilMs });
  test('within its deadline is right', () => expect(judge([119])).toEqual(ok_));
  test('may still be missing before its deadline', () => expect(judge([], 110)).toEqual(ok_));
  test('that never comes is found', () => expect(judge([])).toEqual(bad('a had no outcome within 100 ms')));
  test('that comes late is found', () => expect(judge([121])).toEqual(bad('a had its outcome after 121.0 ms; its deadline was 100 ms')));
  test('that comes twice is found', () => expect(judge([10, 20])).toEqual(bad('a had 2 outcomes')));
});

describe('epochs', () => {
  const seen = (epoch: number, by?: string) => ({ agent: 'counter/a', epoch, ...(by === undefined ? {} : { by }) });
  test('that only rise are right, each agent for itself', () =>
    expect(epochs([seen(1), seen(1), { agent: 'b', epoch: 1 }, seen(4), { agent: 'b', epoch: 2 }])).toEqual(ok_));
  test('are in order in each log for itself', () => {
    const stale = { ...seen(1), log: 'STATE' };
    expect(epochs([{ ...seen(4), log: 'AGENTS' }, stale])).toEqual(ok_);
    expect(epochs([{ ...seen(4), log: 'STATE' }, stale])).toMatchObject({ verdict: 'bad' });
  });
  test('of a stale owner are found', () =>
    expect(epochs([seen(1), seen(4), seen(1)])).toEqual(bad('counter/a: something of epoch 1 after something of epoch 4')));
  test('of two nodes at once are found', () =>
    expect(epochs([seen(1, 'n1.7'), seen(1, 'n2.9')])).toEqual(
      bad('counter/a: epoch 1 belongs to n1.7, and something of epoch 1 by n2.9'),
    ));
});

describe('terminated', () => {
  const watch = { watcher: 'w', target: 't' };
  const ended = new Set(['t']);
  test('once per watch is right', () => expect(terminatedOnce([watch], [watch], ended)).toEqual(ok_));
  test('of a target that lives is not due', () => expect(terminatedOnce([watch], [], new Set())).toEqual(ok_));
  test('missing is found', () => expect(terminatedOnce([watch], [], ended)).toEqual(bad('w was told 0 times that t ended; 1 was due')));
  test('twice is found', () =>
    expect(terminatedOnce([watch], [watch, watch], ended)).toEqual(bad('w was told 2 times that t ended; 1 was due')));
  test('of a living target is found', () =>
    expect(terminatedOnce([watch], [watch], new Set())).toEqual(bad('w was told 1 times that t ended; 0 was due')));
  test('without a watch is found', () =>
    expect(terminatedOnce([], [watch], ended)).toEqual(bad('w was told that t ended, which it does not watch')));
});

describe('convergence', () => {
  const views = new Map([
    ['n1', ['n1', 'n2']],
    ['n2', ['n2', 'n1']],
  ]);
  const healed = { healedAtMs: 100, withinMs: 50, keys: [0], operations: [ok([101, 149], 'read', 1)], views };
  test('is an answer in time, one view and empty queues', () =>
    expect(convergence({ ...healed, queues: new Map([['n1 mailbox', 0]]) })).toEqual(ok_));
  test('without an answer is found', () =>
    expect(convergence({ ...healed, operations: [ok([99, 101], 'read', 1), failed([110, 120], 'read', 'fail')] })).toEqual(
      bad('key 0 never answered after the heal'),
    ));
  test('with a late answer is found', () =>
    expect(convergence({ ...healed, operations: [ok([101, 160], 'read', 1)] })).toEqual(
      bad('key 0 answered 60 ms after the heal; 50 ms were allowed'),
    ));
  test('with two views is found', () =>
    expect(convergence({ ...healed, views: new Map([...views, ['n3', ['n3']]]) })).toEqual(
      bad('the nodes disagree on the members: n1, n2 see [n1, n2]; n3 see [n3]'),
    ));
  test('with something left in a queue is found', () =>
    expect(convergence({ ...healed, queues: new Map([['n1 outbound', 2]]) })).toEqual(bad('n1 outbound still holds 2')));
});

describe('verdicts', () => {
  test('a violation outweighs a doubt, and a doubt outweighs ok', () => {
    const doubt = { verdict: 'unknown', reason: 'why' } as const;
    expect(worstOf([{ verdict: 'ok' }, doubt, verdictOf(['x'])])).toEqual(bad('x'));
    expect(worstOf([{ verdict: 'ok' }, doubt])).toEqual(doubt);
  });
  test('a long list is cut and says so', () =>
    expect(verdictOf(Array.from({ length: 25 }, String))).toMatchObject({ violations: { length: 21, 20: '… and 5 more' } }));
});
