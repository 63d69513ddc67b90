import { describe, expect, test } from 'vitest';
import { lock } from '../../../chaos/checkers/lock.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { LockOp, LockResult, VaultWrite } from '../../../chaos/workloads/lock.ts';
import { failed, ok } from '../support.ts';

type Seen = Operation<LockOp, LockResult>;
type Times = readonly [number, number];
const acquired = (times: Times, holder: string, token: number, requestId?: string): Seen =>
  ok(times, { type: 'acquire', holder }, { token }, requestId === undefined ? {} : { requestId });
const write = (holder: string, token: number, value: number): LockOp => ({ type: 'write', holder, token, value });
const wrote = (times: Times, holder: string, token: number, value: number): Seen => ok(times, write(holder, token, value), { token });
const took = (holder: string, token: number, value: number): VaultWrite => ({ holder, token, value });
const judge = (history: readonly Seen[], token: number, ...writes: VaultWrite[]): string => {
  const found = lock(history, new Map([[0, { token, writes }]]));
  return found.verdict === 'bad' ? found.violations.join('\n') : found.verdict;
};

const two = [acquired([0, 1], 'h0', 1), wrote([2, 3], 'h0', 1, 10), acquired([4, 5], 'h1', 2), wrote([6, 7], 'h1', 2, 20)];

describe('a good lock is accepted', () => {
  test('when holders write one after the other', () => expect(judge(two, 2, took('h0', 1, 10), took('h1', 2, 20))).toBe('ok'));
  test('when a holder that is late is refused as stale', () =>
    expect(judge([...two, ok([8, 9], write('h0', 1, 11), { stale: 2 })], 2, took('h0', 1, 10), took('h1', 2, 20))).toBe('ok'));
  test('when what nobody knows was written, and when it was not', () => {
    const history = [...two, failed([8, 9], write('h1', 2, 21), 'info')];
    expect(judge(history, 2, took('h0', 1, 10), took('h1', 2, 20))).toBe('ok');
    expect(judge(history, 2, took('h0', 1, 10), took('h1', 2, 20), took('h1', 2, 21))).toBe('ok');
  });
  test('when a repeat is answered as the first attempt was', () =>
    expect(
      judge(
        [
          failed([0, 1], { type: 'acquire', holder: 'h0' }, 'info', { requestId: 'a' }),
          acquired([2, 3], 'h1', 2),
          acquired([4, 5], 'h0', 1, 'a'),
        ],
        2,
      ),
    ).toBe('ok'));
});

describe('a bad lock is refused', () => {
  test('when one token is granted twice', () =>
    expect(judge([acquired([0, 9], 'h0', 1), acquired([1, 9], 'h1', 1)], 1)).toMatch('token 1 was granted to h0 by #0 and to h1 by #1'));
  test('when tokens fall', () =>
    expect(judge([acquired([0, 1], 'h0', 7), acquired([2, 3], 'h1', 6)], 7)).toMatch(
      'was granted token 6, and 7 had been seen before it was asked for',
    ));
  test('when tokens fall behind one that was only seen', () =>
    expect(judge([ok([0, 1], { type: 'acquire', holder: 'h0' }, { held: 7 }), acquired([2, 3], 'h1', 7)], 7)).toMatch(
      '7 had been seen before',
    ));
  test('when a grant is lost', () => expect(judge([acquired([0, 1], 'h0', 2)], 1)).toMatch('the lock ended with 1: a grant is lost'));
  test('when a request is granted twice', () =>
    expect(judge([acquired([0, 1], 'h0', 1, 'a'), acquired([2, 3], 'h0', 2, 'a')], 2)).toMatch(
      'was granted 1 and 2: it took effect more than once',
    ));
  test('when a write under an older token is taken after a newer one', () => {
    const late = [...two, wrote([8, 9], 'h0', 1, 11)];
    expect(judge(late, 2, took('h0', 1, 10), took('h1', 2, 20), took('h0', 1, 11))).toMatch(
      '11 of h0 with token 1 was taken after 20 with token 2',
    );
  });
  test('when a holder writes under the token of another', () =>
    expect(judge([...two, wrote([8, 9], 'h0', 2, 11)], 2, took('h0', 1, 10), took('h1', 2, 20), took('h0', 2, 11))).toMatch(
      'and the token is that of h1',
    ));
  test('when a token is used that was never given out', () =>
    expect(judge([...two, wrote([8, 9], 'h1', 9, 11)], 2, took('h0', 1, 10), took('h1', 2, 20), took('h1', 9, 11))).toMatch(
      'never gave out a token above 2',
    ));
  test('when an acknowledged write is lost, taken twice, or in a wrong place', () => {
    expect(judge(two, 2, took('h1', 2, 20))).toMatch('10 was acknowledged and is lost');
    expect(judge(two, 2, took('h0', 1, 10), took('h1', 2, 20), took('h1', 2, 20))).toMatch('20 was taken 2 times');
    const again = [...two, wrote([8, 9], 'h1', 2, 21)];
    expect(judge(again, 2, took('h0', 1, 10), took('h1', 2, 21), took('h1', 2, 20))).toMatch(
      '20 was acknowledged before 21 was asked for, and is there after it',
    );
  });
  test('when what was definitely refused, or refused as stale, is there all the same', () => {
    const all = [took('h0', 1, 10), took('h1', 2, 20)];
    expect(judge([...two, failed([8, 9], write('h1', 2, 21), 'fail')], 2, ...all, took('h1', 2, 21))).toMatch(
      '21 was definitely refused, and is there',
    );
    expect(judge([...two, ok([8, 9], write('h1', 2, 21), { stale: 3 })], 2, ...all, took('h1', 2, 21))).toMatch(
      '21 was definitely refused, and is there',
    );
  });
  test('when a write is refused for a token that is not newer', () =>
    expect(judge([...two, ok([8, 9], write('h1', 2, 21), { stale: 2 })], 2, took('h0', 1, 10), took('h1', 2, 20))).toMatch(
      'was refused for token 2, and has 2',
    ));
  test('when something is there that nobody wrote', () =>
    expect(judge(two, 2, took('h0', 1, 10), took('h1', 2, 20), took('h1', 2, 99))).toMatch('99 is there, which nobody wrote'));
});

test('without its final reading it is unknown', () => expect(lock(two, new Map())).toMatchObject({ verdict: 'unknown' }));
