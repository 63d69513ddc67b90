import { expect, test } from 'vitest';
import { NexaError } from '../../src/errors.ts';
import { codec, edgeWorld, names } from './world.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const alice = names.durable('counter', 'alice');
const add = { type: 'add', by: 1 };

test('a command to be stored is answered in its own encoding, with its id', async () => {
  const { request, calls } = edgeWorld();
  const answer = { ok: true, stored: true, messageId: 'm1' };
  expect(await request(alice, json(add), { headers: { 'Nexa-Request-Id': 'i-1' } })).toEqual({ json: true, body: answer });
  expect(await request(alice, codec.encode(add))).toEqual({ json: false, body: answer });
  expect(calls).toEqual([
    ['tellDurably', 'counter', 'alice', add, { timeoutMs: 5_000, requestId: 'i-1' }],
    ['tellDurably', 'counter', 'alice', add, { timeoutMs: 5_000 }],
  ]);
});

test('rubbish is refused typed, and reaches no handler', async () => {
  const { request, calls } = edgeWorld();
  for (const bytes of ['', '{', '[]', '{"by":1}', '{"type":7}', '{"type":"a","__proto__":{}}', '\u00c1', 'x'])
    expect((await request(alice, Buffer.from(bytes, 'latin1')))?.body, bytes).toMatchObject({ ok: false, error: { definite: true } });
  for (const id of ['', 'a b', 'x'.repeat(65)])
    expect((await request(alice, json(add), { headers: { 'Nexa-Request-Id': id } }))?.body).toMatchObject({
      error: { code: 'invalid-message' },
    });
  expect(calls).toEqual([]);
});

test('without a reply subject it is stored too; if that fails it is a dead letter', async () => {
  let full = false;
  const { publish, calls, letters, edge } = edgeWorld({
    tellDurably: async (...call) => {
      calls.push(call);
      if (full) throw new NexaError('mailbox-full', 'too many wait');
      return { messageId: 'm1' };
    },
  });
  await publish(alice, JSON.stringify(add));
  expect([calls.length, letters]).toEqual([1, []]);
  full = true;
  await publish(alice, JSON.stringify(add));
  await publish(alice, '{');
  expect(letters).toMatchObject([
    { type: 'counter', id: 'alice', error: { code: 'mailbox-full' } },
    { type: 'counter', id: 'alice', error: { code: 'invalid-message' } },
  ]);
  expect(edge.counters.deadLetters).toBe(2);
});
