import { expect, test } from 'vitest';
import { recordHistory } from '../../chaos/history.ts';
import { NexaError } from '../../src/errors.ts';
import { definite, indefinite, manualClock } from './support.ts';

const call = { key: 3, op: 'read', timeoutMs: 100 } as const;
const started = (limit?: number) => recordHistory<string, number>({ clock: manualClock(), ...(limit === undefined ? {} : { limit }) });

test('an answer is ok, a definite error is fail, anything else is info', async () => {
  const history = started();
  const client = history.client();
  await client.run(call, async () => 7);
  await client.run(call, () => Promise.reject(definite));
  await client.run(call, () => Promise.reject(indefinite));
  await client.run(call, () => {
    throw new Error('thrown before there was a promise');
  });
  expect(history.operations().map((each) => [each.outcome, each.outcome === 'ok' ? each.result : each.error.code])).toEqual([
    ['ok', 7],
    ['fail', 'unavailable'],
    ['info', 'ask-timeout'],
    ['info', 'crashed'],
  ]);
});

test('a client is somebody else after an info, and only then', async () => {
  const history = started();
  const client = history.client();
  const ids = [client.id];
  for (const thrown of [definite, indefinite, definite]) {
    await client.run(call, () => Promise.reject(thrown));
    ids.push(client.id);
  }
  expect(ids).toEqual([0, 0, 1, 1]);
  expect(history.client().id).toBe(2);
});

test('a client makes one call at a time', () => {
  const client = started().client();
  client.invoke(call);
  expect(() => client.invoke(call)).toThrow(expect.objectContaining({ code: 'context-misused' }));
});

test('no two events fall on one instant, so the order in which they were seen is kept', async () => {
  const history = started();
  const client = history.client();
  await client.run(call, async () => 1);
  await client.run(call, async () => 2);
  const instants = history.operations().flatMap((each) => [each.invokedAtMs, each.endedAtMs]);
  expect(instants).toEqual([...new Set(instants)].sort((a, b) => a - b));
});

test('a call that is still open may yet happen at any time', () => {
  const history = started();
  history.client().invoke({ ...call, requestId: 'r1' });
  expect(history.operations()).toMatchObject([
    { key: 3, op: 'read', requestId: 'r1', outcome: 'info', endedAtMs: Number.POSITIVE_INFINITY },
  ]);
});

test('the first settlement is the outcome, and a second one is kept for the one-outcome checker', () => {
  const history = started();
  const open = history.client().invoke(call);
  open.ok(1);
  open.failed(new NexaError('ask-timeout', 'late'));
  expect(history.operations()).toMatchObject([{ outcome: 'ok', result: 1 }]);
  expect(history.asked()).toMatchObject([
    { name: '#0 "read" on key 3', timeoutMs: 100, settledAtMs: [expect.any(Number), expect.any(Number)] },
  ]);
});

test('a history is bounded', () => {
  const history = started(1);
  history.client().invoke(call);
  expect(() => history.client().invoke(call)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});

test('each outcome is told as it is recorded', async () => {
  const told: string[] = [];
  const client = recordHistory<string, number>({ clock: manualClock(), onEnded: (each) => told.push(each.outcome) }).client();
  await client.run(call, async () => 1);
  await client.run(call, () => Promise.reject(indefinite));
  expect(told).toEqual(['ok', 'info']);
});
