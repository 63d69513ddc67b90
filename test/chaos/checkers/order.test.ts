import { describe, expect, test } from 'vitest';
import { answersTrue, gapsCounted, inOrder } from '../../../chaos/checkers/order.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { EchoOp, EchoResult, HandledRun } from '../../../chaos/workloads/echo.ts';
import { ok as answered, failed } from '../support.ts';

const ok = { verdict: 'ok' };
const run = (from: number, to: number, more: Partial<HandledRun> = {}): HandledRun => ({
  callee: 'e/a',
  epoch: 5,
  caller: 'r/a@1',
  from,
  to,
  ...more,
});
const call = (
  from: number,
  to: number,
  asked: Partial<EchoResult['asked']> = {},
  more: Partial<EchoResult> = {},
): Operation<EchoOp, EchoResult> =>
  answered(
    [0, 1],
    { type: 'call', tells: to - from + 1 },
    {
      ...{ caller: 'r/a@1', from, to, pushedBack: 0 },
      ...{ asked: { code: null, definite: false, tookMs: 1, timeoutMs: 100, ...asked } },
      ...more,
    },
  );

describe('order between two agents', () => {
  test('with gaps is right, of each sender for itself', () =>
    expect(inOrder([run(1, 4), run(1, 9, { caller: 'r/b@1' }), run(7, 9)])).toEqual(ok));
  test('begins anew with a new activation of the sender, and goes on with one of the receiver', () =>
    expect(inOrder([run(1, 4), run(1, 4, { caller: 'r/a@9' }), run(5, 6, { epoch: 8 })])).toEqual(ok));
  test('may be another across a move of the receiver, who may have missed some', () =>
    expect(inOrder([run(5, 6), run(2, 3, { epoch: 8 })])).toEqual(ok));
  test('that is broken is found', () =>
    expect(inOrder([run(5, 6), run(2, 3)])).toMatchObject({ violations: ['e/a@5 handled 2 to 3 of r/a@1 after 6'] }));
  test('is free for an ask that came late, but none comes early, and none twice', () => {
    expect(inOrder([run(1, 4), run(6, 7), run(5, 5, { asked: true }), run(8, 9)])).toEqual(ok);
    expect(inOrder([run(1, 4), run(6, 6, { asked: true }), run(5, 5)])).toMatchObject({ violations: ['e/a@5 handled 5 of r/a@1 after 6'] });
    expect(inOrder([run(1, 4), run(4, 4, { asked: true })])).toMatchObject({ verdict: 'bad' });
  });
  test('of what is handled twice is found, also by two activations of the receiver', () => {
    expect(inOrder([run(1, 4), run(4, 4)])).toMatchObject({ verdict: 'bad' });
    expect(inOrder([run(1, 4), run(4, 6, { epoch: 8 })])).toMatchObject({ violations: ['4 of r/a@1 was handled by e/a@5 and by e/a@8'] });
  });
});

describe('asks between agents', () => {
  test('that were answered were handled, and of others it is open', () =>
    expect(
      answersTrue([call(1, 3), call(5, 5, { code: 'ask-timeout' }), failed([0, 1], { type: 'call', tells: 1 }, 'info')], [run(1, 4)]),
    ).toEqual(ok));
  test('that were answered, and nobody handled, are found', () =>
    expect(answersTrue([call(1, 3)], [run(1, 3)])).toMatchObject({ violations: ['ask 4 of r/a@1 was answered, and nobody handled it'] }));
  test('that were definitely refused, and handled, are found', () =>
    expect(answersTrue([call(1, 3, { code: 'unavailable', definite: true })], [run(1, 4)])).toMatchObject({
      violations: ['ask 4 of r/a@1 was definitely refused (unavailable), and was handled'],
    }));
});

describe('gaps', () => {
  const nodes = (gaps: number, deadLetters = 0) => ({ n1: { incarnation: 1, gaps, deadLetters } });
  test('that are counted are right, and so is what was pushed back', () => {
    expect(gapsCounted([call(1, 6)], { handled: [run(1, 2), run(5, 7)], nodes: nodes(1, 1) })).toEqual(ok);
    expect(gapsCounted([call(1, 6, {}, { pushedBack: 2 })], { handled: [run(1, 4), run(7, 7)], nodes: nodes(0) })).toEqual(ok);
  });
  test('that nobody counted leave it open', () =>
    expect(gapsCounted([call(1, 6)], { handled: [run(1, 2), run(5, 7)], nodes: nodes(0) })).toEqual({
      verdict: 'unknown',
      reason: '2 messages that were told are missing, and the nodes that live counted 0',
    }));
  test('of agents that moved are not judged: who counted them may be gone', () =>
    expect(gapsCounted([call(1, 6)], { handled: [run(1, 2), run(5, 7, { epoch: 9 })], nodes: nodes(0) })).toEqual(ok));
});
