import { describe, expect, test } from 'vitest';
import { serviceKey } from '../../src/actor/receptionist.ts';
import { defineProtocol } from '../../src/agent/check.ts';
import { clientOver } from '../../src/client.ts';
import type { ClientHandlers } from '../../src/edge/client-handlers.ts';
import { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { edgeWorld, names } from './world.ts';

/** A desk that remembers whom it accepted, and what it was told of them. */
function desk(world = { refuses: undefined as NexaError | undefined }) {
  const listed = new Map<string, { beats: number }>();
  const handlers: Partial<ClientHandlers> = {
    connect: async ({ client = 'fresh', heartbeatMs }) => {
      if (world.refuses !== undefined) throw world.refuses;
      listed.set(client, { beats: 0 });
      return { client, cluster: 'test', node: 'n1', heartbeatMs, versions: [1] };
    },
    beat: async (client) => {
      const entry = listed.get(client);
      if (entry === undefined) throw new NexaError('no-such-actor', 'not listed');
      entry.beats++;
    },
    disconnect: async (client) => void listed.delete(client),
  };
  return { listed, handlers, world };
}
function connecting(handlers: Partial<ClientHandlers>) {
  const world = edgeWorld(handlers);
  const { transport } = world.network.connect('client');
  const client = clientOver({ transport, subjects: names, clock: world.clock, random: seededRandom(9) });
  /** Moves time until it settles. */
  const come = async <T>(promise: PromiseLike<T>, withinMs = 20_000): Promise<T> => {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    for (let waited = 0; !done && waited < withinMs; waited += 10) await world.clock.advance(10);
    return promise;
  };
  return { ...world, client, come };
}

describe('the handshake', () => {
  const request = async (body: unknown) => {
    const { handlers, listed } = desk();
    const world = edgeWorld(handlers);
    return { answer: await world.requestJson(names.connect, body), listed };
  };
  test('is answered with who accepts, for how long, and the versions it knows', async () => {
    const { answer, listed } = await request({ type: 'connect', version: 1, name: 'shell', client: 'c-1', wants: { heartbeatMs: 2_000 } });
    expect(answer).toEqual({ ok: true, reply: { client: 'c-1', cluster: 'test', node: 'n1', heartbeatMs: 2_000, versions: [1] } });
    expect([...listed.keys()]).toEqual(['c-1']);
    expect((await request({ type: 'connect', version: 1 })).answer).toMatchObject({ reply: { client: 'fresh', heartbeatMs: 5_000 } });
    expect((await request({ type: 'connect', version: 1, wants: { heartbeatMs: 1 } })).answer).toMatchObject({
      reply: { heartbeatMs: 1_000 },
    });
  });

  test('that does not fit is refused by type before anything is listed', async () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['unknown-version', { type: 'connect', version: 2 }],
      ['unknown-version', { type: 'connect' }],
      ['invalid-message', { type: 'connect', version: '1' }],
      ['bad-id', { type: 'connect', version: 1, name: 'a b' }],
      ['bad-id', { type: 'connect', version: 1, name: 'x'.repeat(65) }],
      ['bad-id', { type: 'connect', version: 1, client: 'a.*' }],
      ['invalid-message', { type: 'connect', version: 1, name: 7 }],
      ['invalid-message', { type: 'connect', version: 1, wants: { heartbeatMs: 60_001 } }],
      ['invalid-message', { type: 'connect', version: 1, wants: { all: true } }],
      ['invalid-message', { type: 'connect', version: 1, more: 1 }],
      ['unknown-command', { type: 'hello' }],
      ['invalid-message', { type: 'beat' }],
      ['bad-id', { type: 'close', client: '>' }],
      ['no-such-actor', { type: 'beat', client: 'nobody' }],
    ];
    for (const [code, body] of wrong) {
      const { answer, listed } = await request(body);
      expect(answer, JSON.stringify(body)).toMatchObject({ ok: false, error: { code, definite: true } });
      expect(listed.size).toBe(0);
    }
  });
});

describe('a client', () => {
  test('is listed when it has connected, says that it is there, and is not listed once it is closed', async () => {
    const { handlers, listed } = desk();
    const { client, come, clock } = connecting(handlers);
    expect(client.id).toBeUndefined();
    await come(client.list({ name: 'shell', heartbeatMs: 1_000 }, { timeoutMs: 5_000 }));
    expect([...listed.keys()]).toEqual([client.id]);
    await clock.advance(10_000);
    expect(listed.get(client.id ?? '')?.beats).toBeGreaterThanOrEqual(10);
    await come(client[Symbol.asyncDispose]());
    expect(listed.size).toBe(0);
    await clock.advance(10_000);
    expect(listed.size).toBe(0);
  });

  test('that was taken for lost lists itself again under the same id', async () => {
    const { handlers, listed } = desk();
    const { client, come, clock } = connecting(handlers);
    await come(client.list({ heartbeatMs: 1_000 }, { timeoutMs: 5_000 }));
    listed.clear();
    await clock.advance(1_500);
    expect([...listed.keys()]).toEqual([client.id]);
    await come(client[Symbol.asyncDispose]());
  });

  test('comes back by itself after its connection was lost, and after nobody listened for a while', async () => {
    const { handlers, listed } = desk();
    const { client, come, clock, network, edge } = connecting(handlers);
    await come(client.list({ heartbeatMs: 1_000 }, { timeoutMs: 5_000 }));
    network.faults.isolate('client');
    await clock.advance(30_000);
    listed.clear();
    network.faults.heal('client');
    await clock.advance(5_000);
    expect([...listed.keys()]).toEqual([client.id]);
    edge.shut();
    await clock.advance(10_000);
    listed.clear();
    edge.open();
    await clock.advance(5_000);
    expect([...listed.keys()]).toEqual([client.id]);
    await come(client[Symbol.asyncDispose]());
  });

  test('tries again while no node accepts, and then says so with what to do', async () => {
    const { handlers, listed, world } = desk({ refuses: new NexaError('unavailable', 'cordoned', { definite: true }) });
    const one = connecting(handlers);
    const trying = one.client.list({}, { timeoutMs: 5_000 });
    await one.clock.advance(2_000);
    world.refuses = undefined;
    await one.come(trying);
    expect(listed.size).toBe(1);
    await one.come(one.client[Symbol.asyncDispose]());
    world.refuses = new NexaError('unavailable', 'cordoned', { definite: true });
    const other = connecting(handlers);
    await expect(other.come(other.client.list({}, { timeoutMs: 3_000 }))).rejects.toMatchObject({
      code: 'unavailable',
      where: { cluster: 'test' },
      fix: expect.stringContaining('nexa nodes'),
    });
    expect([listed.size, other.client.id]).toEqual([0, undefined]);
  });

  test('that is refused for good hears it at once', async () => {
    for (const code of ['quota-exceeded', 'unknown-version'] as const) {
      const { handlers } = desk({ refuses: new NexaError(code, 'no') });
      const { client, come } = connecting(handlers);
      await expect(come(client.list({}, { timeoutMs: 60_000 }), 100)).rejects.toMatchObject({ code });
    }
    const { client, come } = connecting({ connect: async () => ({ client: 'somebody-else', more: 1 }) as never });
    await expect(come(client.list({}, { timeoutMs: 60_000 }), 100)).rejects.toMatchObject({ code: 'invalid-message' });
  });
});

describe('services from outside', () => {
  const counter = defineProtocol({ type: 'counter', version: 1, commands: {} });
  const workers = serviceKey<never>('workers');

  test('an agent is registered by name; any other ref is refused here', async () => {
    const { client, come, calls } = connecting({});
    expect(await come(client.receptionist.register(workers, client.agent(counter, 'al ice'), { metadata: { zone: 'x' } }))).toEqual({
      key: 'workers',
      instance: 'counter/alice',
    });
    expect(calls.at(-1)?.[1]).toEqual({ service: 'workers', agent: { type: 'counter', id: 'al ice' }, metadata: { zone: 'x' } });
    await come(client.receptionist.deregister(workers, client.agent(counter, 'al ice')));
    expect(calls.at(-1)?.slice(0, 3)).toEqual(['deregisterService', 'workers', 'counter/al ice']);
    const other = { address: { kind: 'incarnation' } } as never;
    await expect(come(client.receptionist.register(workers, other))).rejects.toMatchObject({ code: 'invalid-message' });
  });

  test('what is found has live refs of agents, addresses of others, and nothing of what has not the form of an entry', async () => {
    const row = { service: 'workers', instance: 'a', ref: 'nexa:counter/a', metadata: {}, node: null, registeredAtMs: 1 };
    const services = [row, { ...row, instance: 'b', ref: 'nexa://n1.5/w#7', node: 'n1' }, { ...row, metadata: 7 }, null, 'x'];
    const { client, come } = connecting({ findServices: async () => ({ services: services as never, more: false }) });
    const found = await come(client.receptionist.find(workers));
    expect(found.map(({ instance, ref, address }) => [instance, ref?.toJSON(), address])).toEqual([
      ['a', 'nexa:counter/a', 'nexa:counter/a'],
      ['b', undefined, 'nexa://n1.5/w#7'],
    ]);
  });

  test('a subscriber hears what is new and nothing twice, also over an outage, until it leaves', async () => {
    let ids = ['a'];
    let down = false;
    const { client, clock } = connecting({
      findServices: async () => {
        if (down) throw new NexaError('unavailable', 'down');
        const row = { service: 'workers', ref: 'nexa:counter/a', metadata: {}, node: null, registeredAtMs: 1 };
        return { services: ids.map((instance) => ({ ...row, instance })), more: false };
      },
    });
    const heard: string[][] = [];
    const leave = client.receptionist.subscribe(workers, (services) => heard.push(services.map(({ instance }) => instance)));
    await clock.advance(3_500);
    down = true;
    await clock.advance(3_000);
    down = false;
    ids = ['a', 'b'];
    await clock.advance(2_000);
    leave();
    ids = [];
    await clock.advance(2_000);
    expect(heard).toEqual([['a'], ['a', 'b']]);
  });

  test('what does not fit is refused by type', async () => {
    const world = edgeWorld();
    for (const [code, body] of [
      ['bad-id', { type: 'find', service: '$clients' }],
      ['invalid-message', { type: 'find' }],
      ['invalid-message', { type: 'find', service: 'a', limit: 1_001 }],
      ['invalid-message', { type: 'find', service: 'a', metadata: [] }],
      ['bad-id', { type: 'find', service: 'a', node: 'n 1' }],
      ['invalid-message', { type: 'register', service: 'a' }],
      ['bad-id', { type: 'register', service: 'a', agent: { type: 'a b', id: 'x' } }],
      ['invalid-message', { type: 'register', service: 'a', agent: { type: 'a', id: 'x', more: 1 } }],
      ['bad-id', { type: 'register', service: '$a', agent: { type: 'a', id: 'x' } }],
      ['invalid-message', { type: 'deregister', service: 'a' }],
      ['unknown-command', { type: 'sweep' }],
    ] as const)
      expect(await world.requestJson(names.services, body), JSON.stringify(body)).toMatchObject({ ok: false, error: { code } });
    expect(world.calls).toEqual([]);
  });
});

test('every request and tell of a client has a trace: the given one, or a fresh one', async () => {
  const { client, come, calls, clock } = connecting({});
  const given = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await come(client.askRaw('counter', 'alice', { type: 'get' }, { timeoutMs: 1_000, traceparent: given }));
  await come(client.askRaw('counter', 'alice', { type: 'get' }, { timeoutMs: 1_000 }));
  await come(client.tellRaw('counter', 'alice', { type: 'add' }));
  await clock.advance(10);
  const traces = calls.map((call) => (call.at(-1) as { readonly traceparent?: string }).traceparent);
  expect(traces[0]).toBe(given);
  expect(traces.slice(1)).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/), expect.stringMatching(/^00-/)]);
  expect(new Set(traces).size).toBe(3);
});
