// What agents on demand cost that are put away: npm run bench -- passive [agents, default 100,000]
import { type Client, command, defineProtocol } from 'nexa';
import { z } from 'zod';
import { devCluster } from './dev-cluster.ts';

const AT_ONCE = 64;
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
async function residentBytes(client: Client): Promise<number> {
  const seen: number[] = [];
  for (let look = 0; look < 5; look++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    seen.push(((await client.cluster.status('n1')) as { readonly rssBytes: number }).rssBytes);
  }
  return Math.min(...seen);
}

await using cluster = await devCluster({ servers: 1, nodes: 1 });
const { client } = cluster;
// Warm, so that the figure is the agents' and not the compiler's.
const warm = Array.from({ length: 3_000 }, (_, index) => agents + index);
await visitAll(client, warm);
const before = await residentBytes(client);
const fromMs = performance.now();
await visitAll(
  client,
  Array.from({ length: agents }, (_, index) => index),
);
const spawnedMs = performance.now() - fromMs;
const after = await residentBytes(client);
const woken = await visitAll(
  client,
  Array.from({ length: 2_000 }, (_, index) => (index * 37) % agents),
);
const at = (share: number): number => Number((woken[Math.floor(woken.length * share)] ?? 0).toPrecision(3));
console.table([
  { what: `bytes of memory per passive agent, ${agents} of them`, value: Math.round((after - before) / agents) },
  { what: 'first messages that spawn, per second', value: Math.round(agents / (spawnedMs / 1_000)) },
  { what: `wakes, ${AT_ONCE} at once: p50 ms`, value: at(0.5) },
  { what: `wakes, ${AT_ONCE} at once: p99 ms`, value: at(0.99) },
]);
