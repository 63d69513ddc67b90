import { expect, test } from 'vitest';
import { appendList, type ListOp, type ListResult } from '../../../chaos/checkers/append-list.ts';
import type { Operation } from '../../../chaos/history.ts';
import { NexaError } from '../../../src/errors.ts';

type Call = Operation<ListOp, ListResult>;
const at = (invokedAtMs: number, endedAtMs: number) => ({ key: 0, invokedAtMs, endedAtMs });
const append = (value: number, values: number[], fromMs: number, requestId = `r${value}`): Call => ({
  ...at(fromMs, fromMs + 10),
  ...{ op: { type: 'append', value }, requestId, outcome: 'ok', result: { values } },
});
const read = (values: number[], fromMs: number): Call => ({
  ...at(fromMs, fromMs + 10),
  op: { type: 'read' },
  outcome: 'ok',
  result: { values },
});
const lost = (value: number, fromMs: number, outcome: 'fail' | 'info' = 'info', requestId = `r${value}`): Call => ({
  ...at(fromMs, fromMs + 10),
  ...{ op: { type: 'append', value }, requestId, outcome, error: new NexaError('ask-timeout', 'no answer') },
});
const judge = (final: number[] | undefined, ...calls: Call[]) =>
  appendList(calls, new Map(final === undefined ? [] : [[0, { values: final }]]));
const ok = { verdict: 'ok' };
const bad = (text: string) => ({ verdict: 'bad', violations: [`key 0: ${text}`] });

test('what is acknowledged is there in one order, and what nobody knows may be', () => {
  expect(judge([1, 2], append(1, [1], 0), read([1], 20), append(2, [1, 2], 40))).toEqual(ok);
  expect(judge([1, 2], append(1, [1], 0), lost(2, 20))).toEqual(ok);
  expect(judge([1], append(1, [1], 0), lost(2, 20))).toEqual(ok);
  expect(judge([1], append(1, [1], 0), lost(2, 20, 'fail'))).toEqual(ok);
  expect(judge(undefined, append(1, [1], 0))).toEqual({ verdict: 'unknown', reason: 'key 0: no final list was read' });
});
test('a repeat is one request, answered as it was the first time', () => {
  expect(judge([1, 2], lost(1, 0), append(2, [1, 2], 20), append(1, [1], 40))).toEqual(ok);
});
test('what is lost, doubled, refused or made up is found', () => {
  expect(judge([], append(1, [], 0))).toEqual({
    verdict: 'bad',
    violations: [
      'key 0: request r1 appended 1, which was acknowledged and is lost',
      'key 0: request r1 does not see what it appended itself',
    ],
  });
  expect(judge([1, 1], append(1, [1], 0))).toEqual(bad('request r1 appended 1 more than once: it is there 2 times'));
  expect(judge([1], lost(1, 0, 'fail'))).toEqual(bad('request r1 was definitely refused, and 1 is there'));
  expect(judge([7])).toEqual(ok);
  expect(judge([1, 7], append(1, [1], 0))).toEqual(bad('7 is there, which nobody appended'));
});
test('an answer that is no beginning of the end, or older than one before it, is found', () => {
  expect(judge([1, 2], lost(1, 0), lost(2, 0), read([2], 20))).toEqual(
    bad('#2 saw 2 at 0, where the list ended with 1: an effect is lost'),
  );
  expect(judge([1], append(1, [1], 0), read([], 20))).toEqual(
    bad('#1 saw 0 values, but 1 had been seen before it began: an effect is lost'),
  );
});
