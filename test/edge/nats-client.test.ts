import { connect as connectBare, headers, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { connect } from '../../src/client.ts';
import type { ActorAddress, Peer } from '../../src/cluster/peer.ts';
import { createRemote, type Remote } from '../../src/cluster/remote.ts';
import type { PublicHandlers } from '../../src/edge/handlers.ts';
import { type PublicEdge, publicEdge } from '../../src/edge/public-edge.ts';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import { readServerInfo } from '../../src/nats/server-info.ts';
import { systemClock } from '../../src/system-clock.ts';
import { systemRandom } from '../../src/system-random.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { codec, names } from './world.ts';

let servers: TestServers;
let bare: NatsConnection;
const links: NatsLink[] = [];
let edge: PublicEdge;
const calls: unknown[][] = [];

const link = async (role: 'data' | 'client'): Promise<NatsLink> => {
  const made = await connectNats({
    servers: servers.urls,
    name: 'test',
    role,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  links.push(made);
  return made;
};

beforeAll(async () => {
  servers = await startServers();
  bare = await connectBare({ servers: [...servers.urls] });
  const handlers = {
    ask: async (...args: unknown[]) => {
      calls.push(args.slice(0, 4));
      return { value: 1 };
    },
    tell: (...args: unknown[]) => void calls.push(args),
    nodes: async () => [{ node: 'n1', state: 'running' }],
  } as unknown as PublicHandlers;
  const transport = (await link('data')).transport();
  edge = publicEdge({
    transport,
    subjects: names,
    clock: systemClock,
    log: silentLogger,
    node: 'n1',
    handlers,
    onDeadLetter: () => undefined,
  });
  edge.open();
  await transport.flush({ timeoutMs: 2_000 });
});
afterAll(async () => {
  await edge?.close({ timeoutMs: 100 });
  await bare?.close();
  for (const one of links) await one.close();
  await servers?.stop();
});

test('a bare NATS client asks with JSON and headers, and with msgpack', async () => {
  const given = headers();
  given.set('Nexa-Timeout-Ms', '700');
  given.set('Nexa-Request-Id', 'r-1');
  const answer = await bare.request(names.agent('counter', 'al ice'), '{"type":"add","by":1}', { timeout: 10_000, headers: given });
  expect(answer.json()).toEqual({ ok: true, reply: { value: 1 } });
  expect(calls.at(-1)).toEqual(['counter', 'al ice', { type: 'add', by: 1 }, { timeoutMs: 700, requestId: 'r-1' }]);
  const packed = await bare.request(names.agent('counter', 'alice'), codec.encode({ type: 'get' }), { timeout: 10_000 });
  expect(codec.decode(packed.data)).toEqual({ ok: true, reply: { value: 1 } });
});

test('a reply subject of the server itself is never published to', async () => {
  const before = calls.length;
  bare.publish(names.agent('counter', 'alice'), '{"type":"add"}', { reply: '$JS.API.INFO' });
  bare.publish(names.agent('counter', 'alice'), '{"type":"add"}', { reply: names.node('n1', 1) });
  await bare.request(names.ctl, '{"type":"nodes"}', { timeout: 10_000 });
  expect(edge.counters.unsafeReplies).toBe(2);
  expect(calls.length).toBe(before);
});

test('the client of this package asks, and is told at once where nobody listens', async () => {
  await using client = await connect({ nats: servers.urls, cluster: 'test', listed: false });
  expect(await client.askRaw('counter', 'alice', { type: 'get' }, { timeoutMs: 10_000 })).toEqual({ value: 1 });
  expect(await client.cluster.nodes()).toEqual([{ node: 'n1', state: 'running' }]);
  await expect(client.cluster.tree('n9')).rejects.toMatchObject({ code: 'unavailable' });
});

test('two incarnations talk in order through a real server, and a silent inbox shows', async () => {
  const received: unknown[] = [];
  const unreachable: string[] = [];
  const remotes: Remote[] = [];
  const start = async (self: Peer, onEnvelope: (message: unknown) => void) => {
    const own = await link('data');
    const remote = createRemote({
      self,
      transport: own.transport(),
      subjects: names,
      codec,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      isGone: () => false,
      wireVersions: [2, 1],
      versionsOf: () => [2, 1],
      onEnvelope: ({ message }) => {
        onEnvelope(message);
        return true;
      },
      onRefused: (_envelope, error) => expect.unreachable(error.message),
      onDeadLetter: (_envelope, reason) => expect.unreachable(reason),
      onAskLost: () => undefined,
      watches: { watch: () => undefined, unwatch: () => undefined, terminated: () => undefined },
      onUnreachable: ({ node }) => unreachable.push(node),
    });
    remotes.push(remote);
    // One answered request: the server knows of the inbox by now, and nothing is sent into the void.
    await readServerInfo(own, { timeoutMs: 5_000 });
    return remote;
  };
  const to: ActorAddress = { kind: 'incarnation', node: 'b', nodeIncarnation: 1, path: 'x', uid: 1 };
  const count = 20_000;
  let complete: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    complete = resolve;
  });
  await start({ node: 'b', incarnation: 1 }, (message) => {
    received.push(message);
    if (received.length === count) complete();
  });
  const a = await start({ node: 'a', incarnation: 1 }, () => undefined);
  for (let index = 0; index < count; index++) {
    if (!a.send('b', 1, { to, message: index })) await a.ready('b', 1, { timeoutMs: 20_000 });
  }
  await all;
  expect(received).toEqual(Array.from({ length: count }, (_, index) => index));
  a.send('c', 1, { to: { ...to, node: 'c' }, message: 0 });
  await expect.poll(() => unreachable, { timeout: 20_000 }).toContain('c');
  for (const remote of remotes) remote.close();
});
