import { describe, expect, test } from 'vitest';
import { bank } from '../../../chaos/checkers/bank.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { BankOp, BankResult, Transfer, TransferState } from '../../../chaos/workloads/bank.ts';
import { failed, ok } from '../support.ts';

type Seen = Operation<BankOp, BankResult>;
const wanted = (transfer = 't1', cents = 30): BankOp => ({ type: 'transfer', transfer, from: 'a0', to: 'a1', cents });
const asked = ok([0, 1], wanted(), { state: 'begun' } as BankResult);
const ended = (state: TransferState, more: Partial<Transfer> = {}): Transfer => ({
  ...{ transfer: 't1', from: 'a0', to: 'a1', cents: 30, state },
  ...more,
});
const judge = (history: readonly Seen[], transfers: readonly Transfer[], ...cents: number[]): string => {
  const accounts = Object.fromEntries(cents.map((each, index) => [`a${index}`, each]));
  const found = bank(history, new Map([[0, { accounts, transfers }]]), { accounts: 2, openingCents: 100 });
  return found.verdict === 'bad' ? found.violations.join('\n') : found.verdict;
};

describe('a good bank is accepted', () => {
  test('when what was completed is where it belongs', () => expect(judge([asked], [ended('completed')], 70, 130)).toBe('ok'));
  test('when what was refused or refunded moved nothing', () =>
    expect([judge([asked], [ended('refused')], 100, 100), judge([asked], [ended('refunded')], 100, 100)]).toEqual(['ok', 'ok']));
  test('when what nobody knows is there, and when it is not', () => {
    const unknown = [failed([0, 1], wanted(), 'info')];
    expect([judge(unknown, [ended('completed')], 70, 130), judge(unknown, [], 100, 100)]).toEqual(['ok', 'ok']);
  });
});

describe('a bad bank is refused', () => {
  test('when money came, or went', () => {
    expect(judge([asked], [ended('completed')], 70, 160)).toMatch('all accounts together have 230, and began with 200');
    expect(judge([asked], [ended('completed')], 70, 100)).toMatch('all accounts together have 170, and began with 200');
  });
  test('when money is in another account, though none is missing', () =>
    expect(judge([asked], [ended('completed')], 100, 100)).toMatch('a0 has 100, and its transfers make 70'));
  test('when an acknowledged transfer is lost, or is there twice', () => {
    expect(judge([asked], [], 100, 100)).toBe('key 0: t1 was acknowledged and is lost');
    expect(judge([asked], [ended('refused'), ended('completed')], 70, 130)).toMatch('t1 is there 2 times');
  });
  test('when a transfer never comes to an end, and then its money is not counted', () =>
    expect(judge([asked], [ended('withdrawn')], 70, 100)).toBe('key 0: t1 never came to an end: it is withdrawn'));
  test('when a transfer had two ends', () =>
    expect(judge([ok([0, 1], wanted(), { state: 'completed' })], [ended('refunded')], 100, 100)).toMatch(
      't1 was seen as completed, and ended as refunded',
    ));
  test('when one that was definitely refused is there', () =>
    expect(judge([failed([0, 1], wanted(), 'fail')], [ended('completed')], 70, 130)).toMatch(
      't1 was definitely refused, and is there as completed',
    ));
  test('when one is not as it was asked for, or was not asked for at all', () => {
    expect(judge([asked], [ended('completed', { cents: 40 })], 60, 140)).toMatch(
      't1 is 40 from a0 to a1, and 30 from a0 to a1 was asked for',
    );
    expect(judge([asked], [ended('completed'), ended('refused', { transfer: 't2' })], 70, 130)).toMatch(
      't2 is there, which nobody asked for',
    );
  });
  test('when an account is below nothing, in the end or on the way', () => {
    expect(judge([ok([0, 1], wanted('t1', 130), { state: 'begun' })], [ended('completed', { cents: 130 })], -30, 230)).toMatch(
      'a0 ended below nothing',
    );
    expect(judge([ok([0, 1], { type: 'balance', account: 'a0' }, { cents: -5 })], [], 100, 100)).toBe('key 0: a0 was seen with -5');
  });
  test('when an account is missing', () => expect(judge([asked], [ended('refused')], 100)).toMatch('1 accounts were read of 2'));
});

test('without its final reading it is unknown', () =>
  expect(bank([asked], new Map(), { accounts: 2, openingCents: 100 })).toMatchObject({ verdict: 'unknown' }));
