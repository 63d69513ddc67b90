// What agents on demand cost that are put away, at the node that owns them and at one that does not: npm run bench -- passive [agents, default 100,000]
import { type Client, command, defineProtocol } from 'nexa';
import { z } from 'zod';
import { heap } from './agents/heap.ts';
import { devCluster } from './dev-cluster.ts';

const AT_ONCE = 64;
const SETTLED_MS = 5_000;
const protocol = defineProtocol({
  type: 'bench-visitor',
  version: 1,
  commands: { visit: command({}, { reply: z.object({ visits: z.int() }) }) },
});
const within = { timeoutMs: 30_000 };
const agents = Number(process.argv[2] ?? 100_000);

const visit = (client: Client, index: number): Promise<{ readonly visits: number }> =>
  client.agent(protocol, `v${index}`).ask({ type: 'visit' }, within);
async function visitAll(client: Client, indexes: readonly number[]): Promise<number[]> {
  const tookMs: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < indexes.length; at = next++) {
      const fromMs = performance.now();
      await visit(client, indexes[at] as number);
      tookMs.push(performance.now() - fromMs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tookMs.sort((a, b) => a - b);
}
/** Live objects of a node, after a collection of its garbage; once everything was put away that is going to be. */
async function liveBytes(client: Client, node: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  return (await client.agent(heap, node).ask({ type: 'used' }, within)).bytes;
}

await using cluster = await devCluster({ servers: 1, nodes: 2 });
const { client } = cluster;
// All of them are n1's: n2 has nothing of them but their places.
const nodes = ['n1', 'n2'] as const;
for (const node of nodes) await client.spawn(heap, { id: node, placement: { node } });
await client.cluster.cordon('n2', true);
// Warm, so that the figure is the agents' and not the compiler's.
const warm = Array.from({ length: 3_000 }, (_, index) => agents + index);
await visitAll(client, warm);
const bytesOf = async (): Promise<readonly number[]> => [await liveBytes(client, nodes[0]), await liveBytes(client, nodes[1])];
const before = await bytesOf();
const fromMs = performance.now();
await visitAll(
  client,
  Array.from({ length: agents }, (_, index) => index),
);
const spawnedMs = performance.now() - fromMs;
const [owner = 0, other = 0] = (await bytesOf()).map((bytes, index) => (bytes - (before[index] ?? 0)) / agents);
const woken = await visitAll(
  client,
  Array.from({ length: 2_000 }, (_, index) => (index * 37) % agents),
);
const at = (share: number): number => Number((woken[Math.floor(woken.length * share)] ?? 0).toPrecision(3));
console.table([
  { what: `live bytes per entry of the place table, ${agents} agents, at a node that owns none`, value: Math.round(other) },
  { what: 'live bytes besides, at the node that owns them', value: Math.round(owner - other) },
  { what: 'first messages that spawn, per second', value: Math.round(agents / (spawnedMs / 1_000)) },
  { what: `wakes, ${AT_ONCE} at once: p50 ms`, value: at(0.5) },
  { what: `wakes, ${AT_ONCE} at once: p99 ms`, value: at(0.99) },
]);
