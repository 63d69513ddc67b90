import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { counter } from '../../actors/builtin/index.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { declareGone } from '../../src/cluster/join.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { connectNats } from '../../src/nats/connection.ts';
import { startNode } from '../../supervisors/node.ts';
import { eventually } from '../live/support.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';

vi.setConfig({ testTimeout: 60_000 });

let servers: TestServers;
let clusters = 0;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers?.stop());

const cluster = (): string => `node-${process.pid}-${++clusters}`;
const within = { timeoutMs: 5_000 };

test('a node in memory is the same runtime without a server', async () => {
  await using node = await startNode({ nats: 'memory', name: 'alone' });
  expect(node.state).toBe('running');
  const { ref, created } = await node.spawn(counter, { id: 'alice' });
  expect(created).toBe(true);
  expect(await ref.ask({ type: 'add', by: 2 }, within)).toEqual({ value: 2 });
  expect(await node.spawn(counter, { id: 'alice' })).toMatchObject({ node: 'alone', created: false });
  await node.stopAgent(ref);
  await expect(ref.ask({ type: 'get' }, within)).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
});

test('C1: an incarnation that was declared gone ends with fenced, its agents answer elsewhere, and nothing of it acts any more', async () => {
  const shared = { cluster: cluster(), nats: servers.urls };
  await using staying = await startNode({ ...shared, name: 'stays' });
  const doomed = await startNode({ ...shared, name: 'doomed' });
  const [{ ref }] = await eventually('the other node is heard of', 10_000, async () => {
    const spawned = await staying.spawn(counter, { id: 'alice', placement: { node: 'doomed' } }).catch(() => undefined);
    return spawned?.node === 'doomed' && [spawned];
  });
  expect(await ref.ask({ type: 'add', by: 1 }, within)).toEqual({ value: 1 });
  const held = doomed.agent(counter, 'alice');
  expect(await held.ask({ type: 'add', by: 1 }, within)).toEqual({ value: 2 });

  const link = await connectNats({
    servers: servers.urls,
    name: 'judge',
    role: 'control',
    clock: realClock,
    random: realRandom,
    log: recordingLogger(),
  });
  try {
    const members = link.stores().kv(subjects(shared.cluster).store('MEMBERS'));
    const store = { members, codec: createCodec(), clock: realClock, times: DEFAULT_TIMES };
    await declareGone(store, 'doomed', doomed.incarnation, { timeoutMs: 5_000, cause: 'crash' });
  } finally {
    await link.close();
  }
  await expect(doomed.done).rejects.toMatchObject({ code: 'fenced' });
  expect(doomed.state).toBe('stopped');
  // Only asked: an addition whose answer came too late would count all the same.
  const answer = await eventually('it answers elsewhere', 20_000, () =>
    ref.ask({ type: 'get' }, { timeoutMs: 1_000 }).catch(() => undefined),
  );
  expect(answer).toEqual({ value: 2 });
  expect(await ref.ask({ type: 'add', by: 1 }, within)).toEqual({ value: 3 });
  await expect(held.ask({ type: 'add', by: 1 }, { timeoutMs: 500 })).rejects.toMatchObject({ definite: true });
  await expect(doomed.spawn(counter, { id: 'bob', timeoutMs: 500 })).rejects.toMatchObject({ definite: true });
  await doomed.stop();
  expect(await ref.ask({ type: 'get' }, within)).toEqual({ value: 3 });
});

test('C7: stopping a node gives its agents back; stopping again is the same stop', async () => {
  const shared = { cluster: cluster(), nats: servers.urls };
  await using staying = await startNode({ ...shared, name: 'stays' });
  const leaving = await startNode({ ...shared, name: 'leaves' });
  const { ref, node } = await leaving.spawn(counter, { id: 'alice', placement: { strategy: 'local' } });
  expect(node).toBe('leaves');
  expect(await ref.ask({ type: 'add', by: 5 }, within)).toEqual({ value: 5 });
  await Promise.all([leaving.stop(), leaving.stop()]);
  await leaving.done;
  expect(leaving.state).toBe('stopped');
  const answer = await eventually('it answers elsewhere', 20_000, () =>
    staying
      .agent(counter, 'alice')
      .ask({ type: 'get' }, { timeoutMs: 1_000 })
      .catch(() => undefined),
  );
  expect(answer).toEqual({ value: 5 });
});

test('what a node cannot start with is a typed error, and it leaves nothing behind', async () => {
  const shared = { cluster: cluster(), nats: servers.urls, name: 'x' };
  const mine = () =>
    defineAgent({ type: 'mine', version: 1, commands: { go: command({}) }, state: z.null(), initial: null }).handle({ go: () => ({}) });
  const tried: readonly (readonly [Parameters<typeof startNode>[0], string])[] = [
    [{ ...shared, agents: [mine(), mine()] }, 'invalid-definition'],
    [{ ...shared, name: 'x y' }, 'bad-id'],
    [{ ...shared, cluster: 'a.b' }, 'bad-id'],
    [{ ...shared, nats: 'nats://127.0.0.1:1' }, 'disconnected'],
    // One server cannot keep three copies.
    [{ ...shared, replicas: 3 }, 'store-misconfigured'],
    [{ ...shared, capacity: Number.NaN }, 'invalid-definition'],
    [{ ...shared, services: [{ name: 'db', kind: 'tcp', host: '127.0.0.1', port: 1, required: true }] }, 'unavailable'],
    [{ ...shared, services: [{ name: 'd b', kind: 'tcp', host: '127.0.0.1', port: 1 }] }, 'invalid-definition'],
  ];
  for (const [options, code] of tried) await expect(startNode(options)).rejects.toMatchObject({ code });
  await using node = await startNode(shared);
  expect(node.state).toBe('running');
});
