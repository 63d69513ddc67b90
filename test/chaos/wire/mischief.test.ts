import { afterAll, beforeAll, expect, test } from 'vitest';
import { duplicates } from '../../../chaos/faults/wire/duplicates.ts';
import { slowConsumer } from '../../../chaos/faults/wire/slow-consumer.ts';
import { readMonitor } from '../../../src/nats-server/monitor.ts';
import { alive, eventually, type LiveCluster, liveCluster, report } from '../../live/support.ts';
import { sceneOf } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 2 });
  expect(await live.client.ask('spawn', { type: 'counter', id: 'a', placement: { node: 'n1' } })).toMatchObject({ ok: true });
});
afterAll(() => live?.stop());

let value = 0;
const add = () => live.client.ask('agent.counter.a', { type: 'add', by: 1 }, { timeoutMs: 10_000 });

test('F21: frames between nodes that arrive again, later and in another order, are handled once', async () => {
  await using scene = await sceneOf(live, 21);
  const placed = await live.client.list();
  let over = false;
  const repeating = duplicates(scene, 5_000).finally(() => {
    over = true;
  });
  // Whichever node takes a request, the other one owns the agent half of the time.
  while (!over) expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
  const repeated = await repeating;
  report(`${repeated} frames said again during ${value} additions`);
  expect(repeated).toBeGreaterThan(20);
  expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
  expect(await live.client.list()).toEqual(placed);
});

test('F12: a subscriber that reads nothing is closed by the server, and nobody else notices', async () => {
  await using scene = await sceneOf(live, 12);
  const pids = live.nodes.map((node) => live.pid(node));
  const slow = async () =>
    ((await readMonitor('/varz', { port: live.servers.servers[0]?.monitorPort ?? 0 }, 2_000)) as { readonly slow_consumers: number })
      .slow_consumers;
  const before = await slow();
  let over = false;
  const drowning = slowConsumer(scene, live.urls[0] ?? '', 60_000).finally(() => {
    over = true;
  });
  while (!over) expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
  const { kicked, bytes } = await drowning;
  report(`the server closed it after ${Math.round(bytes / 1e6)} MB`);
  expect(kicked).toBe(true);
  await eventually('the server says so', 10_000, async () => (await slow()) > before);
  expect(live.nodes.map((node) => live.pid(node))).toEqual(pids);
  expect(pids.every(alive)).toBe(true);
  expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
});
