import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NexaError, Refused } from '../../src/errors.ts';
import { codec, edgeWorld, names } from './world.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const alice = names.agent('counter', 'alice');

describe('a public message in either encoding', () => {
  test('is answered in its own', async () => {
    const { request, calls } = edgeWorld();
    expect(await request(alice, json({ type: 'add', by: 1 }))).toEqual({ json: true, body: { ok: true, reply: { value: 1 } } });
    expect(await request(alice, codec.encode({ type: 'add', by: 1 }))).toEqual({ json: false, body: { ok: true, reply: { value: 1 } } });
    expect(calls).toEqual([
      ['ask', 'counter', 'alice', { type: 'add', by: 1 }, { timeoutMs: 5_000 }],
      ['ask', 'counter', 'alice', { type: 'add', by: 1 }, { timeoutMs: 5_000 }],
    ]);
  });

  test('carries timeout, request id and trace context in its headers, whatever their case', async () => {
    const { requestJson, calls } = edgeWorld();
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await requestJson(alice, { type: 'get' }, { 'nexa-timeout-ms': '750', 'Nexa-Request-Id': 'r-1', Traceparent: trace });
    await requestJson(alice, { type: 'get' }, { traceparent: 'nonsense' });
    expect(calls.map((call) => call.at(-1))).toEqual([{ timeoutMs: 750, requestId: 'r-1', traceparent: trace }, { timeoutMs: 5_000 }]);
  });

  test.each([
    ['Nexa-Timeout-Ms', ['0', '600001', '-1', '1.5', '1e3', 'x', '']],
    ['Nexa-Request-Id', ['', 'a b', 'é', 'x'.repeat(65)]],
  ])('with a wrong %s is refused', async (header, values) => {
    const { requestJson, calls } = edgeWorld();
    for (const value of values)
      expect(await requestJson(alice, { type: 'get' }, { [header]: value })).toMatchObject({
        ok: false,
        error: { code: 'invalid-message', definite: true, where: { header } },
      });
    expect(calls).toEqual([]);
  });

  test('that cannot be decoded is answered, in JSON so that anybody can read it', async () => {
    const { request, calls } = edgeWorld();
    for (const payload of [
      '',
      'hello',
      '[1]',
      ' {"type":"get"}',
      '{"type":',
      '{"type":"get"}x',
      '{"a":{"__proto__":1},"type":"get"}',
      '\xdd\xff\xff\xff\xff',
    ]) {
      const answer = await request(alice, Buffer.from(payload, 'latin1'));
      expect(answer, payload).toMatchObject({ json: true, body: { ok: false, error: { code: 'invalid-message' } } });
    }
    expect(calls).toEqual([]);
  });

  test('that is no command of the form { type, … } is refused', async () => {
    const { requestJson } = edgeWorld();
    for (const body of [{}, { type: 1 }, { type: '' }, { type: 'x'.repeat(256) }])
      expect(await requestJson(alice, body)).toMatchObject({ error: { code: 'invalid-message' } });
  });

  test('to a name that is none is refused', async () => {
    const { request } = edgeWorld();
    for (const subject of [`${names.prefix}.agent.counter.=YQ`, `${names.prefix}.agent.coun=ter.a`, `${names.prefix}.agent.counter.=`]) {
      expect((await request(subject as typeof alice, json({ type: 'get' })))?.body).toMatchObject({ error: { code: 'bad-id' } });
    }
  });

  test('whatever it is, it is answered or counted, and the edge goes on', async () => {
    const { request, requestJson } = edgeWorld();
    const targets = [alice, names.spawn, names.agents, names.ctl, names.ctlNode('n1')];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 60 }),
          fc
            .dictionary(fc.constantFrom('type', 'id', 'agent', 'config', 'placement', 'labels', 'x'), fc.anything({ maxDepth: 2 }))
            .map((body) => json(JSON.parse(JSON.stringify(body) ?? '{}'))),
        ),
        async (subject, payload) => {
          const answer = await request(subject, payload);
          expect(typeof answer?.body.ok).toBe('boolean');
        },
      ),
      { numRuns: 300 },
    );
    expect(await requestJson(alice, { type: 'get' })).toEqual({ ok: true, reply: { value: 1 } });
  });
});

describe('errors', () => {
  test('of ours are answered with their fields, refusals with their details', async () => {
    const { requestJson } = edgeWorld({
      ask: async (_type, id) => {
        throw id === 'alice'
          ? new Refused('mismatch', { value: 2 })
          : new NexaError('no-such-actor', 'there is none', { where: { agent: id }, fix: 'Spawn it.' });
      },
    });
    expect(await requestJson(alice, { type: 'get' })).toEqual({
      ok: false,
      error: {
        code: 'refused',
        refusal: 'mismatch',
        details: { value: 2 },
        message: 'refused: mismatch',
        category: 'refusal',
        retryable: false,
        definite: true,
      },
    });
    expect(await requestJson(names.agent('counter', 'bob'), { type: 'get' })).toMatchObject({
      error: { code: 'no-such-actor', where: { agent: 'bob' }, fix: 'Spawn it.', definite: true },
    });
  });

  test('of any other kind tell a stranger nothing and are logged', async () => {
    const { requestJson, logged } = edgeWorld({
      ask: async () => {
        throw new TypeError('secret path /etc/x');
      },
    });
    const answer = await requestJson(alice, { type: 'get' });
    expect(answer).toMatchObject({ error: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(logged).toHaveLength(1);
  });

  test('an answer that is too large or that JSON cannot say becomes an error that is not definite', async () => {
    const replies = [{ text: 'x'.repeat(1_045_000) }, { value: Number.NaN }, { bytes: new Uint8Array(1) }];
    const { request } = edgeWorld({ ask: async () => replies.shift() });
    expect((await request(alice, json({ type: 'get' })))?.body).toMatchObject({ error: { code: 'payload-too-large', definite: false } });
    expect((await request(alice, json({ type: 'get' })))?.body).toMatchObject({ error: { code: 'not-encodable', definite: false } });
    expect((await request(alice, codec.encode({ type: 'get' })))?.body).toEqual({ ok: true, reply: { bytes: Uint8Array.of(0) } });
  });
});

describe('the way back', () => {
  test('a reply subject that is not the caller’s to give gets no answer and no execution', async () => {
    const { publish, calls, edge } = edgeWorld();
    for (const reply of ['$JS.API.STREAM.DELETE.x', 'nexa.test.v1.node.n1.7', 'nexa.other.v1.spawn', `x${'.y'.repeat(200)}`, 'a..b'])
      await publish(alice, '{"type":"get"}', { reply });
    expect(calls).toEqual([]);
    expect(edge.counters).toMatchObject({ unsafeReplies: 5, requests: 0, refused: 0 });
  });

  test('without one a message to an agent is a tell', async () => {
    const { publish, calls } = edgeWorld();
    await publish(alice, '{"type":"add","by":1}');
    expect(calls).toEqual([['tell', 'counter', 'alice', { type: 'add', by: 1 }, { timeoutMs: 5_000 }]]);
  });

  test('a tell that nobody takes is a counted dead letter', async () => {
    const { publish, letters, edge } = edgeWorld({
      tell: () => {
        throw new NexaError('mailbox-full', 'full');
      },
    });
    await publish(alice, '{"type":"add"}');
    await publish(alice, 'rubbish');
    await publish(`${names.prefix}.agent.counter.=`, '{"type":"add"}');
    expect(letters.map(({ id, error, message }) => [id, error.code, message])).toEqual([
      ['alice', 'mailbox-full', { type: 'add' }],
      ['alice', 'invalid-message', undefined],
      ['', 'bad-id', undefined],
    ]);
    expect(edge.counters.deadLetters).toBe(3);
  });
});

describe('spawn', () => {
  test('passes on exactly what was said', async () => {
    const { requestJson, calls } = edgeWorld();
    const request = {
      spawnId: 's-1',
      type: 'counter',
      id: 'al ice',
      config: { step: 2 },
      placement: { strategy: 'local', node: 'n1', labels: { zone: 'a' } },
      restart: 'transient',
    };
    expect(await requestJson(names.spawn, request)).toEqual({
      ok: true,
      agent: { type: 'counter', id: 'alice', node: 'n1', epoch: 12 },
      created: true,
    });
    await requestJson(names.spawn, { type: 'counter' });
    expect(calls).toEqual([
      ['spawn', request, { timeoutMs: 5_000 }],
      ['spawn', { type: 'counter' }, { timeoutMs: 5_000 }],
    ]);
  });

  test.each([
    [{}, 'invalid-message', 'type'],
    [{ type: 5 }, 'invalid-message', 'type'],
    [{ type: 'no.such' }, 'unknown-type', undefined],
    [{ type: 'counter', id: '' }, 'invalid-message', 'id'],
    [{ type: 'counter', id: 5 }, 'invalid-message', 'id'],
    [{ type: 'counter', id: 'é'.repeat(100) }, 'bad-id', undefined],
    [{ type: 'counter', spawnId: 'x'.repeat(129) }, 'invalid-message', 'spawnId'],
    [{ type: 'counter', restart: 'always' }, 'invalid-message', 'restart'],
    [{ type: 'counter', placement: [] }, 'invalid-message', undefined],
    [{ type: 'counter', placement: { node: 'n 1' } }, 'bad-id', undefined],
    [{ type: 'counter', placement: { zone: 'x' } }, 'invalid-message', 'zone'],
    [{ type: 'counter', placement: { labels: { zone: 5 } } }, 'invalid-message', 'zone'],
    [{ type: 'counter', colour: 'red' }, 'invalid-message', 'colour'],
  ])('refuses %j with %s', async (request, code, field) => {
    const { requestJson, calls } = edgeWorld();
    const answer = (await requestJson(names.spawn, request)) as {
      readonly error: { readonly code: string; readonly where?: Record<string, string> };
    };
    expect(answer).toMatchObject({ ok: false, error: { code, definite: true, retryable: false } });
    if (field !== undefined) expect(answer.error.where?.field).toBe(field);
    expect(calls).toEqual([]);
  });
});

describe('agents and ctl', () => {
  test('list, types, describe and stop', async () => {
    const { requestJson, calls } = edgeWorld();
    expect(await requestJson(names.agents, { type: 'list', agent: 'counter' })).toMatchObject({
      ok: true,
      reply: { agents: [{ id: 'alice' }], more: false },
    });
    expect(await requestJson(names.agents, { type: 'types' })).toEqual({ ok: true, reply: { types: [{ type: 'counter' }] } });
    expect(await requestJson(names.agents, { type: 'describe', agent: 'counter' })).toEqual({
      ok: true,
      reply: { type: 'counter', commands: {} },
    });
    expect(await requestJson(names.agents, { type: 'stop', agent: 'counter', id: 'alice' })).toEqual({ ok: true });
    expect(calls).toEqual([
      ['list', { type: 'counter', limit: 1_000 }],
      ['types'],
      ['describe', 'counter'],
      ['stop', 'counter', 'alice', { timeoutMs: 5_000, forget: false }],
    ]);
    for (const body of [
      { type: 'list', limit: 0 },
      { type: 'list', limit: 10_001 },
      { type: 'describe' },
      { type: 'stop', agent: 'counter' },
      { type: 'list', id: '' },
    ]) {
      expect(await requestJson(names.agents, body)).toMatchObject({ error: { code: 'invalid-message' } });
    }
    expect(await requestJson(names.agents, { type: 'drop' })).toMatchObject({ error: { code: 'unknown-command' } });
  });

  test('nodes of any node; status, tree and stop of one', async () => {
    const { requestJson, calls } = edgeWorld();
    expect(await requestJson(names.ctl, { type: 'nodes' })).toEqual({ ok: true, reply: { nodes: [{ node: 'n1', state: 'running' }] } });
    expect(await requestJson(names.ctlNode('n1'), { type: 'status' })).toEqual({ ok: true, reply: { node: 'n1' } });
    expect(await requestJson(names.ctlNode('n1'), { type: 'tree' })).toMatchObject({ ok: true, reply: { tree: { name: 'n1' } } });
    expect(await requestJson(names.ctlNode('n1'), { type: 'stop' })).toEqual({ ok: true });
    expect(calls.at(-1)).toEqual(['stopNode']);
    expect(await requestJson(names.ctl, { type: 'stop' })).toMatchObject({ error: { code: 'unknown-command' } });
    expect(await requestJson(names.ctlNode('n1'), { type: 'kill' })).toMatchObject({ error: { code: 'unknown-command' } });
  });
});

describe('bounds', () => {
  test('beyond the requests that may be in flight the next is refused at once', async () => {
    const open: (() => void)[] = [];
    const ask = () => new Promise((resolve) => open.push(() => resolve(1)));
    const { requestJson, publish, clock, edge } = edgeWorld({ ask }, { mostInFlight: 3 });
    for (let sent = 0; sent < 3; sent++) await publish(alice, '{"type":"get"}', { reply: 'elsewhere' });
    expect(await requestJson(alice, { type: 'get' })).toMatchObject({ error: { code: 'overloaded', retryable: true, definite: true } });
    expect(edge.inFlight).toBe(3);
    for (const answer of open) answer();
    await clock.advance(1);
    expect(edge.inFlight).toBe(0);
    expect(edge.counters).toMatchObject({ overloaded: 1, requests: 4, refused: 1 });
  });

  test('and beyond their bytes', async () => {
    const { requestJson, request } = edgeWorld({ ask: () => new Promise(() => {}) }, { mostInFlightBytes: 1_000 });
    void request(alice, json({ type: 'get', text: 'x'.repeat(900) }), { waitMs: 1 });
    expect(await requestJson(alice, { type: 'get', text: 'x'.repeat(100) })).toMatchObject({ error: { code: 'overloaded' } });
  });

  test('a node that sheds takes no work from strangers, and answers operators', async () => {
    const shed = new NexaError('overloaded', 'no memory is left', { where: { node: 'n1' } });
    const { requestJson, publish, calls, edge, letters } = edgeWorld({}, { sheds: () => shed });
    for (const subject of [alice, names.spawn]) expect(await requestJson(subject, { type: 'get' })).toMatchObject({ error: shed.toJSON() });
    await publish(alice, '{"type":"add"}');
    expect([letters.map(({ error }) => error.code), calls, edge.inFlight]).toEqual([['overloaded'], [], 0]);
    expect(edge.counters).toMatchObject({ overloaded: 3, deadLetters: 1 });
    expect(await requestJson(names.ctlNode('n1'), { type: 'status' })).toMatchObject({ ok: true });
    expect(await requestJson(names.agents, { type: 'types' })).toMatchObject({ ok: true });
  });

  test('a handler that never settles gives its place back and its caller an error', async () => {
    const { request, edge } = edgeWorld({ ask: () => new Promise(() => {}) });
    const answer = await request(alice, json({ type: 'get' }), { headers: { 'Nexa-Timeout-Ms': '100' }, waitMs: 1_200 });
    expect(answer?.body).toMatchObject({ error: { code: 'ask-timeout', definite: false } });
    expect(edge.inFlight).toBe(0);
  });
});

describe('leaving', () => {
  test('shut, it answers for the cluster no more but for itself, and open again it does', async () => {
    const { requestJson, edge } = edgeWorld();
    edge.shut();
    expect(await requestJson(alice, { type: 'get' })).toBeUndefined();
    expect(await requestJson(names.ctlNode('n1'), { type: 'status' })).toMatchObject({ ok: true });
    edge.open();
    edge.open();
    expect(await requestJson(alice, { type: 'get' })).toEqual({ ok: true, reply: { value: 1 } });
  });

  test('close waits for what is in flight, at most as long as told, and says what is left', async () => {
    let finish = () => {};
    const asks = [() => new Promise((resolve) => (finish = () => resolve(1))), () => new Promise(() => {})];
    const { request, requestJson, edge, clock } = edgeWorld({ ask: () => (asks.shift() as () => Promise<unknown>)() });
    const answered = request(alice, json({ type: 'get' }), { waitMs: 50 });
    await clock.advance(1);
    const closed = edge.close({ timeoutMs: 1_000 });
    finish();
    expect(await closed).toBe(0);
    expect((await answered)?.body).toEqual({ ok: true, reply: 1 });
    expect(await requestJson(names.ctlNode('n1'), { type: 'status' })).toBeUndefined();

    const second = edgeWorld({ ask: () => new Promise(() => {}) });
    void second.request(alice, json({ type: 'get' }), { waitMs: 1 });
    await second.clock.advance(1);
    const left = second.edge.close({ timeoutMs: 100 });
    await second.clock.advance(100);
    expect(await left).toBe(1);
  });
});
