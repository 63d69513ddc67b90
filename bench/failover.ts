// Many durable agents lose their node, on three servers: npm run bench -- failover [agents, default 10,000]
import { type Client, counter } from 'nexa';
import { devCluster } from './dev-cluster.ts';

interface Node {
  readonly node: string;
  readonly state: string;
  readonly pid: number;
}
const AT_ONCE = 256;
/** Those whose failover is timed. */
const SAMPLE = 200;
const SPAWNS_AT_ONCE = 64;
const DEADLINE_MS = 120_000;
const agents = Number(process.argv[2] ?? 10_000);
const ids = Array.from({ length: agents }, (_, index) => `f${index}`);

/** So many at a time; each item until it is done. */
async function spreadOver<T>(items: readonly T[], atOnce: number, run: (item: T) => Promise<boolean>): Promise<void> {
  const queue = [...items];
  let under = 0;
  const worker = async (): Promise<void> => {
    while (queue.length > 0 || under > 0) {
      const item = queue.shift();
      if (item === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      under++;
      if (!(await run(item))) queue.push(item);
      under--;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
/** False: not now. */
const tried = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  );
const sorted = (tookMs: readonly number[]): number[] => [...tookMs].sort((a, b) => a - b);
const at = (tookMs: readonly number[], share: number): number =>
  Number((tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0).toPrecision(3));

/** One after the other: what a single spawn waits for is one create, and the activation: its claim, load and fence. */
async function activations(client: Client): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (let index = 0; index < 300; index++) {
    const fromMs = performance.now();
    await client.spawn(counter, { id: `a${index}` });
    tookMs.push(performance.now() - fromMs);
  }
  return sorted(tookMs.slice(50));
}

/** Its value; undefined: not now. @throws when what it had acknowledged is lost. */
async function valueSeen(client: Client, id: string, timeoutMs: number): Promise<number | undefined> {
  const value = await client
    .agent(counter, id)
    .ask({ type: 'get' }, { timeoutMs })
    .then(
      (reply) => reply.value,
      () => undefined,
    );
  if (value !== undefined && value !== 1) throw new Error(`an acknowledged addition is lost: ${id} is ${value}`);
  return value;
}

/**
 * From the SIGKILL of their node: when each of a sample answers again, asked over and over, so that asking is not what is measured;
 * and when every single one had answered.
 */
async function failover(client: Client, victim: Node): Promise<{ readonly sample: readonly number[]; readonly allMs: number }> {
  const fromMs = performance.now();
  process.kill(victim.pid, 'SIGKILL');
  const tookMs = await Promise.all(
    ids
      .filter((_id, index) => index % Math.ceil(agents / SAMPLE) === 0)
      .map(async (id) => {
        while ((await valueSeen(client, id, 250)) === undefined) {
          if (performance.now() - fromMs > DEADLINE_MS) throw new Error(`${id} does not answer`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return performance.now() - fromMs;
      }),
  );
  await spreadOver(ids, AT_ONCE, async (id) => (await valueSeen(client, id, 5_000)) !== undefined);
  return { sample: sorted(tookMs), allMs: Math.round(performance.now() - fromMs) };
}

await using cluster = await devCluster({ servers: 3, nodes: 3 });
const { client } = cluster;
const spawned = await activations(client);
const victim = ((await client.cluster.nodes()) as readonly Node[]).find(({ node }) => node === 'n2');
if (victim === undefined) throw new Error('there is no n2');
process.stderr.write(`spawning ${agents} agents on n2\n`);
const spawnFromMs = performance.now();
await spreadOver(ids, SPAWNS_AT_ONCE, (id) =>
  tried(client.spawn(counter, { id, spawnId: id, placement: { node: 'n2' }, timeoutMs: 10_000 })),
);
const perSecond = Math.round(agents / ((performance.now() - spawnFromMs) / 1_000));
await spreadOver(ids, SPAWNS_AT_ONCE, (id) =>
  tried(client.agent(counter, id).ask({ type: 'add' }, { timeoutMs: 5_000, requestId: `first-${id}` })),
);
const { sample, allMs } = await failover(client, victim);
const results = [
  { what: 'spawn of a durable agent, one after the other: p50', value: at(spawned, 0.5), unit: 'ms' },
  { what: `spawns on one node, ${SPAWNS_AT_ONCE} at once`, value: perSecond, unit: '/s' },
  { what: `SIGKILL of a node with ${agents} durable agents: the first answers after`, value: at(sample, 0), unit: 'ms' },
  { what: 'p50', value: at(sample, 0.5), unit: 'ms' },
  { what: 'p99', value: at(sample, 0.99), unit: 'ms' },
  { what: 'the last', value: at(sample, 1), unit: 'ms' },
  { what: `each of the ${agents} had answered`, value: allMs, unit: 'ms' },
];
console.table(results);
console.log(JSON.stringify({ node: process.version, results }));
