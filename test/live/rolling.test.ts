import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServers, type TestServers } from '../support/nats.ts';
import { Adders, DurableAdders, HEAL_MS } from './adders.ts';
import { type Bare, bare } from './bare.ts';
import { granted } from './granted.ts';
import { type Program, program } from './program.ts';
import { eventually, report } from './support.ts';

const cluster = `rolling-${process.pid}`;
const names = ['n1', 'n2', 'n3'] as const;
const ids = Array.from({ length: 9 }, (_, index) => `r${index}`);
/** They are told durably, and asked nothing. */
const told = ['t0', 't1', 't2'];

let servers: TestServers;
let client: Bare;
const nodes = new Map<string, Program>();
const status = async (node: string) => {
  const answer = await client.ask(`ctl.${node}`, { type: 'status' }, { timeoutMs: 1_000 });
  return answer.ok ? (answer.reply as { readonly state: string; readonly suspended: boolean; readonly ready: boolean }) : undefined;
};
async function start(node: string): Promise<void> {
  nodes.set(node, program(['node', '--name', node, '--cluster', cluster, '--nats', servers.urls.join(','), '--replicas', '3']));
  await eventually(`${node} is ready`, HEAL_MS, async () => (await status(node))?.ready);
}
/** SIGTERM, as a service manager ends it. */
async function end(node: string): Promise<number | string | undefined> {
  nodes.get(node)?.child.kill('SIGTERM');
  return nodes.get(node)?.ended;
}

beforeAll(async () => {
  servers = await startServers({ count: 3 });
  client = await bare(servers.urls, cluster, 'test');
  for (const node of names) await start(node);
}, 120_000);
afterAll(async () => {
  for (const node of names) await end(node);
  await client?.close();
  await servers?.stop();
});

const takenByAll = async (adders: Adders): Promise<void> => {
  const before = new Map(adders.acknowledged);
  await eventually('every agent takes additions again', HEAL_MS, () =>
    ids.every((id) => (adders.acknowledged.get(id) ?? 0) > (before.get(id) ?? 0) + 1),
  );
};

test('C4, C7: every node and then every nats-server is restarted under load; nothing acknowledged is lost, nothing happens twice', async () => {
  const beganMs = performance.now();
  for (const id of [...ids, ...told]) await granted(() => client.ask('spawn', { type: 'counter', id, spawnId: id }));
  const adders = new Adders(client, ids);
  const durable = new DurableAdders(client, told);
  for (const node of names) {
    await takenByAll(adders);
    expect(await end(node)).toBe(0);
    await start(node);
  }
  const nodesMs = performance.now() - beganMs;
  const inNodes = [adders.total, Math.round(adders.longestMs)];
  for (const server of servers.servers) {
    await takenByAll(adders);
    await server.stop();
    await server.start();
    await servers.ready(HEAL_MS);
  }
  await takenByAll(adders);
  await eventually('something was stored for each', HEAL_MS, () => told.every((id) => (durable.stored.get(id) ?? 0) > 10));
  await Promise.all([adders.stop(), durable.stop()]);
  report(
    `three nodes restarted in ${Math.round(nodesMs)} ms (${inNodes[0]} additions, the slowest ${inNodes[1]} ms), three nats-servers in ` +
      `${Math.round(performance.now() - beganMs - nodesMs)} ms (${adders.total} in all, the slowest ${Math.round(adders.longestMs)} ms)`,
  );
  expect(adders.violations).toEqual([]);
  for (const id of ids)
    expect(await granted(() => client.ask(`agent.counter.${id}`, { type: 'get' }))).toEqual({
      ok: true,
      reply: { value: adders.acknowledged.get(id) },
    });
  for (const id of told) {
    const value = durable.stored.get(id) ?? 0;
    await eventually(`${id} has handled each of ${value} stored messages once`, HEAL_MS, async () => {
      const answer = await client.ask(`agent.counter.${id}`, { type: 'get' });
      if (answer.ok) expect(answer.reply.value).toBeLessThanOrEqual(value);
      return answer.ok && answer.reply.value === value;
    });
  }
  report(`${[...durable.stored.values()].reduce((sum, each) => sum + each, 0)} durable messages stored, each had its effect once`);
  for (const node of names)
    await eventually(`${node} runs`, HEAL_MS, async () => {
      const seen = await status(node);
      return seen?.state === 'running' && !seen.suspended;
    });
});
