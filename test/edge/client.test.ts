import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineProtocol } from '../../src/agent/check.ts';
import { command } from '../../src/agent/command.ts';
import { clientOver, connect } from '../../src/client.ts';
import type { PublicHandlers } from '../../src/edge/handlers.ts';
import { NexaError, Refused } from '../../src/errors.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { codec, edgeWorld, names } from './world.ts';

const counter = defineProtocol({
  type: 'counter',
  version: 1,
  commands: { add: command({ by: z.number() }, { reply: z.object({ value: z.number() }) }) },
});

function world(handlers: Partial<PublicHandlers> = {}) {
  const one = edgeWorld(handlers);
  const { transport } = one.network.connect('client');
  const client = clientOver({ transport, subjects: names, clock: one.clock, random: one.random });
  /** The outcome of a call after some virtual time. */
  const outcome = async <T>(promise: Promise<T>, ms = 20): Promise<T> => {
    promise.catch(() => undefined);
    await one.clock.advance(ms);
    return promise;
  };
  return { ...one, client, clientTransport: transport as Transport, outcome };
}

const traceparent = expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);

describe('a client', () => {
  test('asks and tells agents through typed refs', async () => {
    const { client, outcome, calls } = world();
    const alice = client.agent(counter, 'al ice');
    const { value } = await outcome(alice.ask({ type: 'add', by: 1 }, { timeoutMs: 700, requestId: 'r-1' }));
    expect(value).toBe(1);
    expect(alice.tell({ type: 'add', by: 2 })).toBe(true);
    await outcome(alice.ready({ timeoutMs: 10 }));
    expect(calls).toEqual([
      ['ask', 'counter', 'al ice', { type: 'add', by: 1 }, { timeoutMs: 700, requestId: 'r-1', window: 0, traceparent }],
      ['tell', 'counter', 'al ice', { type: 'add', by: 2 }, { timeoutMs: 5_000, traceparent }],
    ]);
    expect(JSON.stringify({ alice })).toBe('{"alice":"nexa:counter/=YWwgaWNl"}');
    expect(() => client.agent(counter, '')).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });

  test('spawns, lists, describes, stops, and looks at nodes', async () => {
    const { client, outcome, calls } = world();
    expect(await outcome(client.spawnRaw({ agent: 'counter', id: 'alice', config: { step: 1 }, placement: { node: 'n1' } }))).toEqual({
      type: 'counter',
      id: 'alice',
      node: 'n1',
      epoch: 12,
      created: true,
    });
    expect(await outcome(client.cluster.list({ type: 'counter' }))).toMatchObject([{ id: 'alice' }]);
    expect(await outcome(client.cluster.types())).toEqual([{ type: 'counter' }]);
    expect(await outcome(client.cluster.describe('counter'))).toMatchObject({ type: 'counter' });
    await outcome(client.stopAgent(client.agent(counter, 'alice'), { forget: true }));
    expect(calls.at(-1)).toEqual(['stop', 'counter', 'alice', { timeoutMs: 5_000, traceparent, forget: true }]);
    expect(await outcome(client.cluster.nodes())).toMatchObject([{ node: 'n1' }]);
    expect(await outcome(client.cluster.nodes('n1'))).toMatchObject([{ node: 'n1' }]);
    await expect(outcome(client.cluster.nodes('n9'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await outcome(client.cluster.status())).toEqual({ node: 'n1' });
    expect(await outcome(client.cluster.status('n1'))).toEqual({ node: 'n1' });
    expect(await outcome(client.cluster.tree('n1'))).toMatchObject({ name: 'n1' });
    await outcome(client.cluster.stopNode('n1'));
    expect(await outcome(client.askRaw('counter', 'x', { type: 'get' }, { timeoutMs: 50 }))).toEqual({ value: 1 });
    await outcome(client.tellRaw('counter', 'x', { type: 'get' }));
  });

  test('kills a node through its launcher', async () => {
    const { client, outcome, network } = world();
    await expect(outcome(client.cluster.killNode('n1'))).rejects.toMatchObject({ code: 'unavailable' });
    const { transport } = network.connect('launcher');
    const heard: unknown[] = [];
    transport.subscribe(names.launcher('n1'), (message) => {
      heard.push(codec.decode(message.payload));
      if (message.reply !== undefined) transport.publish(message.reply, codec.encode({ ok: true }));
    });
    await outcome(client.cluster.killNode('n1'));
    expect(heard).toEqual([{ type: 'kill' }]);
  });

  test('holds a node through its launcher, and lets it go on', async () => {
    const { client, outcome, network } = world();
    const { transport } = network.connect('launcher');
    const heard: unknown[] = [];
    transport.subscribe(names.launcher('n1'), (message) => {
      heard.push(codec.decode(message.payload));
      if (message.reply !== undefined) transport.publish(message.reply, codec.encode({ ok: true }));
    });
    await outcome(client.cluster.pauseNode('n1', 500));
    await outcome(client.cluster.resumeNode('n1'));
    expect(heard).toEqual([{ type: 'pause', forMs: 500 }, { type: 'resume' }]);
  });

  test('a ref in a reply is live', async () => {
    const { client, outcome, calls } = world({
      ask: async () => ({
        friend: new (class {
          readonly address = {};
          toJSON = () => 'nexa:counter/bob';
        })(),
      }),
    });
    const { friend } = (await outcome(client.askRaw('counter', 'alice', { type: 'get' }, { timeoutMs: 50 }))) as {
      readonly friend: { tell(message: unknown): boolean };
    };
    friend.tell({ type: 'add', by: 5 });
    await outcome(Promise.resolve());
    expect(calls).toEqual([['tell', 'counter', 'bob', { type: 'add', by: 5 }, { timeoutMs: 5_000, traceparent }]]);
  });
});

describe('what a client is told', () => {
  const ask = (client: ReturnType<typeof world>['client'], signal?: AbortSignal) =>
    client.agent(counter, 'alice').ask({ type: 'add', by: 1 }, { timeoutMs: 300, ...(signal === undefined ? {} : { signal }) });

  test('refusals and errors as they were made', async () => {
    const errors = [new Refused('mismatch', { value: 2 }), new NexaError('mailbox-full', 'full', { where: { agent: 'a' } })];
    const { client, outcome } = world({
      ask: async () => {
        throw errors.shift();
      },
    });
    const refused = await outcome(ask(client).catch((error) => error));
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ refusal: 'mismatch', details: { value: 2 } });
    await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'mailbox-full', definite: true, where: { agent: 'a' } });
  });

  test('nobody listens: unavailable at once, definite', async () => {
    const { client, outcome, edge } = world();
    edge.shut();
    await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'unavailable', definite: true });
    await expect(outcome(client.cluster.tree('n9'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('no answer: ask-timeout at its deadline; given up: cancelled', async () => {
    const { client, outcome } = world({ ask: () => new Promise(() => {}) });
    await expect(outcome(ask(client), 300)).rejects.toMatchObject({ code: 'ask-timeout', definite: false });
    const controller = new AbortController();
    const given = ask(client, controller.signal);
    controller.abort();
    await expect(outcome(given)).rejects.toMatchObject({ code: 'cancelled' });
    await expect(outcome(ask(client, controller.signal))).rejects.toMatchObject({ code: 'cancelled', definite: true });
  });

  test('what cannot be encoded is refused before anything is sent', async () => {
    const { client, outcome, calls } = world();
    await expect(outcome(client.askRaw('counter', 'a', { type: 'x', f: () => 1 }, { timeoutMs: 10 }))).rejects.toMatchObject({
      code: 'not-encodable',
    });
    await expect(outcome(client.tellRaw('counter', 'a', { type: 'x', f: () => 1 }))).rejects.toMatchObject({ code: 'not-encodable' });
    await expect(
      outcome(client.askRaw('counter', 'a', { type: 'x', text: 'x'.repeat(2_000_000) }, { timeoutMs: 10 })),
    ).rejects.toMatchObject({ code: 'payload-too-large' });
    expect(calls).toEqual([]);
  });

  test('without a connection: disconnected, definite; closed: the same, and who waits is told cancelled', async () => {
    const { client, outcome, network, clock } = world({ ask: () => new Promise(() => {}) });
    network.faults.isolate('client');
    await clock.advance(3_000);
    await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'disconnected', definite: true });
    expect(client.agent(counter, 'alice').tell({ type: 'add', by: 1 })).toBe(false);
    network.faults.heal();
    await clock.advance(10);
    const waiting = ask(client);
    await clock.advance(10);
    await client[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'disconnected' });
  });

  test('rubbish for an answer is a typed error', async () => {
    const { client, outcome, edge, network } = world();
    edge.shut();
    const { transport } = network.connect('impostor');
    const rubbish = [
      Buffer.from('hello'),
      Buffer.from('{"ok":1}'),
      Buffer.from('{"ok":false}'),
      Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
      codec.encode([1]),
      Buffer.from('{"ok":false,"error":{"code":"of-the-future","message":"m"}}'),
    ];
    transport.subscribe(names.agentAll, ({ reply }) => reply !== undefined && transport.publish(reply, rubbish.shift() as Uint8Array));
    for (let left = rubbish.length; left > 1; left--)
      await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'invalid-message', definite: false });
    await expect(outcome(ask(client))).rejects.toMatchObject({ code: 'internal', message: 'of-the-future: m' });
  });

  test('no server: disconnected, with what to do', async () => {
    await expect(connect({ nats: 'nats://127.0.0.1:1', timeoutMs: 300 })).rejects.toMatchObject({
      code: 'disconnected',
      fix: expect.stringContaining('nexa up'),
    });
    await expect(connect({ nats: 'nats://127.0.0.1:1', cluster: 'a.b' })).rejects.toMatchObject({ code: 'bad-id' });
  });
});
