import { describe, expect, test } from 'vitest';
import { durableMail, type MailFinal, type MailOp, type MailResult } from '../../../chaos/checkers/durable-mail.ts';
import type { Operation } from '../../../chaos/history.ts';
import { failed, ok } from '../support.ts';

type Mail = Operation<MailOp, MailResult>;
const write = (value: number, poison = false): MailOp => ({ type: 'write', value, poison });
const stored = (atMs: number, value: number, poison = false): Mail =>
  ok([atMs, atMs + 5], write(value, poison), { messageId: `m${value}` });
const read = (atMs: number, values: readonly number[]): Mail => ok([atMs, atMs + 5], { type: 'read' }, { values });
const judged = (operations: readonly Mail[], final: MailFinal) => durableMail(operations, new Map([[0, final]]));

describe('durable mail', () => {
  const history = [
    stored(0, 1),
    stored(10, 2, true),
    read(15, [1]),
    stored(20, 3),
    failed([30, 31], write(4), 'info'),
    failed([40, 41], write(5), 'fail'),
  ];

  test.each<[string, MailFinal]>([
    ['handled in order, poison put aside', { values: [1, 3], dead: [2] }],
    ['with one of unknown outcome handled', { values: [1, 3, 4], dead: [2] }],
    ['with one that was put aside although it is no poison: owners were lost over it', { values: [1], dead: [3, 2] }],
  ])('is right when all is %s', (_, final) => {
    expect(judged(history, final)).toEqual({ verdict: 'ok' });
  });

  test.each<[string, MailFinal, string]>([
    ['one is lost', { values: [1], dead: [2] }, '3 was acknowledged and is lost'],
    ['poison is lost', { values: [1, 3], dead: [] }, '2 was acknowledged and is lost'],
    ['one is handled twice', { values: [1, 3, 3], dead: [2] }, '3 took effect 2 times'],
    ['one is handled and put aside', { values: [1, 3], dead: [2, 3] }, '3 took effect 2 times'],
    ['poison is handled', { values: [1, 2, 3], dead: [] }, '2 was handled, which its handler never can'],
    ['one is handled before an earlier one', { values: [3, 1], dead: [2] }, '3 was handled before 1'],
    ['one that was refused is there', { values: [1, 3, 5], dead: [2] }, '5 was definitely refused, and is there'],
    ['one that nobody sent is there', { values: [1, 3, 9], dead: [2] }, '9 is there, which nobody added'],
  ])('is wrong when %s', (_, final, complaint) => {
    const verdict = judged(history, final);
    expect(verdict).toMatchObject({ verdict: 'bad', violations: expect.arrayContaining([expect.stringContaining(complaint)]) });
  });

  test('is free to handle two that were sent at one time in any order', () => {
    const together = [
      ok<MailOp, MailResult>([0, 9], write(1), { messageId: 'a' }),
      ok<MailOp, MailResult>([1, 8], write(2), { messageId: 'b' }),
    ];
    expect(judged(together, { values: [2, 1], dead: [] })).toEqual({ verdict: 'ok' });
  });

  test('takes the first attempt of a request for when it was sent', () => {
    const repeated: Mail[] = [
      failed([0, 50], write(1), 'info', { requestId: 'a' }),
      ok([10, 20], write(2), { messageId: 'b' }, { requestId: 'b' }),
      ok([60, 70], write(1), { messageId: 'a' }, { requestId: 'a' }),
    ];
    expect(judged(repeated, { values: [1, 2], dead: [] })).toEqual({ verdict: 'ok' });
    expect(judged(repeated, { values: [2, 1], dead: [] })).toEqual({ verdict: 'ok' });
  });

  test('is not decided when nobody read what there is in the end', () => {
    expect(durableMail(history, new Map())).toMatchObject({ verdict: 'unknown' });
  });
});
