// A cluster as `nexa up` starts it, measured from outside and from inside: npm run bench -- cluster [servers: 1 | 3 …]
import { type Client, counter, echo } from 'nexa';
import { driver, sink } from './agents/load.ts';
import { type DevCluster, devCluster } from './dev-cluster.ts';

interface Row {
  readonly what: string;
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
  readonly perSecond?: number;
  readonly value?: number;
  readonly unit: string;
}
interface Node {
  readonly node: string;
  readonly pid: number;
  readonly state: string;
}

const rounded = (value: number): number => Number(value.toPrecision(3));
function spread(what: string, tookMs: readonly number[]): Row {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { what, p50: at(0.5), p99: at(0.99), max: at(1), unit: 'ms' };
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const fromMs = performance.now();
  await run();
  return performance.now() - fromMs;
};
async function repeat(count: number, run: (index: number) => Promise<unknown>): Promise<number[]> {
  const tookMs: number[] = [];
  for (let index = 0; index < count; index++) tookMs.push(await timed(() => run(index)));
  return tookMs;
}
/** So many runs, so many of them at a time. */
async function spreadOver(count: number, atOnce: number, run: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
const within = { timeoutMs: 5_000 };

async function spawning({ client }: DevCluster): Promise<Row[]> {
  await repeat(20, () => client.spawn(counter));
  return [spread('spawn of a durable agent by message', await repeat(300, () => client.spawn(counter)))];
}

async function asking({ client }: DevCluster): Promise<Row[]> {
  const { ref: loud } = await client.spawn(echo, { id: 'loud', placement: { node: 'n1' } });
  const { ref: alice } = await client.spawn(counter, { id: 'alice', placement: { node: 'n1' } });
  const rate = async (what: string, count: number, run: () => Promise<unknown>): Promise<Row> => {
    await spreadOver(count / 4, 64, run);
    const tookMs = await timed(() => spreadOver(count, 64, run));
    return { what, perSecond: Math.round(count / (tookMs / 1_000)), unit: 'asks/s' };
  };
  const say = () => loud.ask({ type: 'echo', text: 'hello' }, within);
  const add = () => alice.ask({ type: 'add' }, within);
  await repeat(200, say);
  return [
    spread('ask from outside', await repeat(1_000, say)),
    spread('durable ask from outside', await repeat(300, add)),
    await rate('asks from outside, 64 at once', 8_000, say),
    await rate('durable asks of one agent, 64 at once', 1_600, add),
  ];
}

async function betweenNodes({ client }: DevCluster): Promise<Row[]> {
  const far = { id: 'far', placement: { node: 'n2' } };
  const { ref, node } = await client.spawn(driver, { id: 'near', placement: { node: 'n1' } });
  const there = [await client.spawn(echo, far), await client.spawn(sink, far)];
  if (node !== 'n1' || there.some((spawned) => spawned.node !== 'n2')) throw new Error('the two ends are not where they should be');
  const long = { timeoutMs: 60_000 };
  const ask = (count: number, atOnce: number) => ref.ask({ type: 'ask', target: 'far', count, atOnce }, long);
  await ask(2_000, 16);
  const one = await ask(2_000, 1);
  const many = await ask(20_000, 64);
  await ref.ask({ type: 'tell', target: 'far', count: 20_000 }, long);
  const told = await ref.ask({ type: 'tell', target: 'far', count: 100_000 }, long);
  if (told.handled !== 100_000) throw new Error(`only ${told.handled} of 100000 tells arrived`);
  return [
    { what: 'ask from node to node', p50: rounded(one.p50Ms), p99: rounded(one.p99Ms), unit: 'ms' },
    { what: 'asks from node to node, 64 at once', perSecond: Math.round(many.perSecond), unit: 'asks/s' },
    { what: 'tells from node to node, one sender', perSecond: Math.round(told.perSecond), unit: 'tells/s' },
  ];
}

/** From the loss of a node until each of its agents answers elsewhere. */
async function failover(what: string, client: Client, end: (node: Node) => Promise<() => void>): Promise<Row> {
  const nodes = (await client.cluster.nodes()) as readonly Node[];
  const victim = nodes.find(({ node, state }) => node === 'n2' && state === 'running');
  if (victim === undefined) throw new Error('n2 does not run');
  const tag = what.replaceAll(/\W+/g, '-');
  const agents = await Promise.all(
    Array.from({ length: 60 }, (_, index) => client.spawn(counter, { id: `${tag}-${index}`, placement: { node: victim.node } })),
  );
  for (const { ref } of agents) await ref.ask({ type: 'add' }, within);
  const fromMs = performance.now();
  const heal = await end(victim);
  const tookMs = await Promise.all(
    agents.map(async ({ ref }) => {
      for (;;) {
        try {
          const { value } = await ref.ask({ type: 'get' }, { timeoutMs: 250 });
          if (value !== 1) throw new Error(`an acknowledged addition is lost: ${ref} is ${value}`);
          return performance.now() - fromMs;
        } catch (error) {
          if (!(error instanceof Error) || error.message.startsWith('an acknowledged') || performance.now() - fromMs > 30_000) throw error;
          await pause(10);
        }
      }
    }),
  );
  heal();
  await running(client, nodes.length);
  return spread(what, tookMs);
}
async function running(client: Client, count: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const nodes = (await client.cluster.nodes().catch(() => [])) as readonly Node[];
    if (nodes.filter(({ state, pid }) => state === 'running' && pid > 0).length >= count) return;
    await pause(100);
  }
  throw new Error('the lost node did not come back');
}
async function failovers({ client }: DevCluster): Promise<Row[]> {
  return [
    await failover('failover after a crash (kill by the launcher)', client, async ({ node }) => {
      await client.cluster.killNode(node);
      return () => undefined;
    }),
    await failover('failover after a silent loss (SIGSTOP)', client, async ({ pid }) => {
      process.kill(pid, 'SIGSTOP');
      return () => void process.kill(pid, 'SIGCONT');
    }),
  ];
}

/** Memory of one node with 1,000 idle agents above that of the same node before. */
async function idle(what: string, client: Client, spawn: (index: number) => Promise<unknown>): Promise<Row> {
  const megabytes = async (): Promise<number> => {
    const seen: number[] = [];
    for (let index = 0; index < 5; index++) {
      await pause(1_000);
      seen.push(((await client.cluster.status('n1')) as { readonly rssBytes: number }).rssBytes / 2 ** 20);
    }
    return Math.min(...seen);
  };
  const before = await megabytes();
  await spreadOver(1_000, 16, spawn);
  return { what, value: rounded((await megabytes()) - before), unit: 'MB' };
}
async function memory(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, definition] of [
    ['1,000 idle agents in memory above an empty node', echo],
    ['1,000 idle durable agents above an empty node', counter],
  ] as const) {
    await using cluster = await devCluster({ servers: 1, nodes: 1 });
    // Warm as after a day, so that the figure is the agents' and not the compiler's.
    await repeat(20, (index) => cluster.client.spawn(counter, { id: `warm-${index}` }));
    rows.push(await idle(what, cluster.client, (index) => cluster.client.spawn(definition as typeof echo, { id: `idle-${index}` })));
  }
  return rows;
}

const sizes = process.argv.slice(2).map(Number);
const results: (Row & { readonly servers: number })[] = [];
for (const servers of sizes.length === 0 ? ([1, 3] as const) : (sizes as (1 | 3)[])) {
  await using cluster = await devCluster({ servers, nodes: 3 });
  const add = (rows: readonly Row[]): void => {
    for (const row of rows) results.push({ servers, ...row });
  };
  add([{ what: 'nexa up, three nodes, until ready', value: Math.round(cluster.readyMs), unit: 'ms' }]);
  for (const measure of [spawning, asking, betweenNodes, failovers]) {
    process.stderr.write(`${servers} server(s): ${measure.name}\n`);
    add(await measure(cluster));
  }
}
process.stderr.write('1 server: memory\n');
for (const row of await memory()) results.push({ servers: 1, ...row });
console.table(results);
console.log(JSON.stringify({ node: process.version, results }));
