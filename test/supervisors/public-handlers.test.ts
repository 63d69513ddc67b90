import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, echo } from '../../actors/index.ts';
import { receive } from '../../src/actor/behavior.ts';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { clientOver } from '../../src/client.ts';
import type { CallOptions, PublicHandlers } from '../../src/edge/handlers.ts';
import { LogRing } from '../../src/edge/log-ring.ts';
import { publicEdge } from '../../src/edge/public-edge.ts';
import type { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { publicHandlers } from '../../supervisors/public-handlers.ts';
import { superviseNode } from '../../supervisors/trees/node-tree.ts';
import { quietControls, quietLoad, quietReadiness } from '../actors/load.ts';
import { membersWorld } from '../actors/members.ts';

const FACTS = {
  state: 'running',
  cluster: 'sim',
  natsServers: [],
  server: 'memory',
  durability: 'memory',
  verified: true,
  replicas: 1,
  uptimeMs: 5,
  ...quietReadiness,
};
const options: CallOptions = { timeoutMs: 5_000 };
let cluster: Awaited<ReturnType<typeof membersWorld>>;
let handlers: PublicHandlers;
let left: number;
const until = <T>(promise: Promise<T>): Promise<T> => cluster.world.until(promise);
const codeOf = (promise: Promise<unknown>) =>
  until(
    promise.then(
      () => 'ok',
      (error: NexaError) => error.code,
    ),
  );

beforeEach(async () => {
  cluster = await membersWorld({ n1: [counter, echo], n2: [counter] });
  left = 0;
  const member = cluster.member('n1');
  const logs = new LogRing(cluster.world.clock);
  logs.keeping(silentLogger).warn({ code: 'x' }, 'something to see');
  const needs = {
    definitions: [counter, echo] as never,
    load: quietLoad,
    facts: () => FACTS,
    logs,
    leave: () => void left++,
    ...quietControls,
  };
  handlers = publicHandlers({ member, refs: superviseNode(member, needs) });
  await cluster.world.run(100);
});
afterEach(() => cluster.close());

const spawn = (id: string, more: object = {}) => until(handlers.spawn({ type: 'counter', id, ...more }, options));

test('an agent is spawned, asked, told, listed and stopped from outside', async () => {
  const spawned = await spawn('alice', { placement: { node: 'n2' } });
  expect(spawned).toMatchObject({ agent: { type: 'counter', id: 'alice', node: 'n2' }, created: true });
  await cluster.world.run(200);
  expect(await until(handlers.ask('counter', 'alice', { type: 'add', by: 2 }, options))).toEqual({ value: 2 });
  handlers.tell('counter', 'alice', { type: 'add', by: 3 }, options);
  await cluster.world.run(200);
  expect(await until(handlers.ask('counter', 'alice', { type: 'get' }, options))).toEqual({ value: 5 });
  expect(await until(handlers.list({ type: 'counter', limit: 10 }))).toMatchObject({
    agents: [{ id: 'alice', node: 'n2', state: 'running' }],
    more: false,
  });
  await until(handlers.stop('counter', 'alice', { ...options, forget: true }));
  expect(await codeOf(handlers.ask('counter', 'alice', { type: 'get' }, options))).toBe('no-such-actor');
});

test('an ask repeated under one request id has one effect', async () => {
  await spawn('once');
  for (let count = 0; count < 2; count++)
    expect(await until(handlers.ask('counter', 'once', { type: 'add', by: 1 }, { ...options, requestId: 'r1' }))).toEqual({ value: 1 });
  expect(await until(handlers.ask('counter', 'once', { type: 'get' }, options))).toEqual({ value: 1 });
});

test('bad commands and unknown types are refused as what they are', async () => {
  await spawn('a');
  expect(await codeOf(handlers.ask('counter', 'a', { type: 'explode' }, options))).toBe('unknown-command');
  expect(await codeOf(handlers.ask('counter', 'a', { type: 'add', by: 'x' }, options))).toBe('invalid-message');
  expect(await codeOf(handlers.spawn({ type: 'nothing' }, options))).toBe('unknown-type');
  expect(await codeOf(handlers.describe('nothing'))).toBe('unknown-type');
});

test('stopNode begins the leave without waiting for it', async () => {
  handlers.stopNode();
  await cluster.world.settle();
  expect(left).toBe(1);
});

test('through the edge and the client everything an operator asks is answered in plain data', async () => {
  const { world } = cluster;
  const { subjects, clock, log } = world;
  const edge = publicEdge({
    transport: world.network.connect('n1').transport,
    subjects,
    clock,
    log,
    node: 'n1',
    handlers,
    onDeadLetter: () => {},
  });
  edge.open();
  const client = clientOver({ transport: world.network.connect('outside').transport, subjects, clock, random: seededRandom(5) });
  await spawn('bob');
  expect(await until(client.cluster.types())).toEqual(await until(handlers.types()));
  expect(await until(client.cluster.describe('echo'))).toMatchObject({ type: 'echo' });
  expect(await until(client.cluster.nodes())).toMatchObject([{ node: 'n1', state: 'running' }, { node: 'n2' }]);
  expect(await until(client.cluster.status('n1'))).toMatchObject({ node: 'n1', cluster: 'sim', members: 2, rssBytes: 1_000 });
  expect(await until(client.cluster.tree('n1'))).toMatchObject({ name: 'n1', path: '/', lastReason: null });
  expect(await until(client.cluster.list({}))).toMatchObject([{ id: 'bob' }]);
  await until(client.cluster.stopNode('n1'));
  expect(left).toBe(1);
  await until(edge.close({ timeoutMs: 1_000 }));
});

test('the deepest and largest tree that is answered fits into one answer', async () => {
  const { world } = cluster;
  const { subjects, clock, log } = world;
  const { system } = cluster.member('n1');
  const nested = (depth: number): Parameters<typeof system.spawn<never>>[0] => ({
    behavior: (context) => {
      if (depth > 0) context.spawn(nested(depth - 1), `${'d'.repeat(250)}${depth}`);
      return receive(() => {});
    },
  });
  for (let count = 0; count < 60; count++) system.spawn(nested(45), `deep-${count}`);
  await world.run(100);
  const edge = publicEdge({
    transport: world.network.connect('n1').transport,
    subjects,
    clock,
    log,
    node: 'n1',
    handlers,
    onDeadLetter: () => {},
  });
  edge.open();
  const client = clientOver({ transport: world.network.connect('outside').transport, subjects, clock, random: seededRandom(5) });
  const tree = (await until(client.cluster.tree('n1'))) as { readonly more: number };
  expect(tree.more).toBeGreaterThan(0);
  await until(edge.close({ timeoutMs: 1_000 }));
});
