// Agents that move on purpose, from the outside: npm run bench -- moving [servers: 1 | 3 …]
import { type Client, counter } from 'nexa';
import { burner } from './agents/load.ts';
import { type DevCluster, devCluster } from './dev-cluster.ts';

interface Row {
  readonly what: string;
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
  readonly value?: number | string;
  readonly unit: string;
}
const rounded = (value: number): number => Number(value.toPrecision(3));
function spread(what: string, tookMs: readonly number[]): Row {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { what, p50: at(0.5), p99: at(0.99), max: at(1), unit: 'ms' };
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const within = { timeoutMs: 5_000 };

/** One caller per agent, one ask after the other; remembers the longest time without an answer since it was last asked. */
class Callers {
  readonly answered = new Map<string, number>();
  readonly #gaps = new Map<string, number>();
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(client: Client, ids: readonly string[], atOnce = ids.length) {
    const queues = Array.from({ length: atOnce }, (_, lane) => ids.filter((_id, index) => index % atOnce === lane));
    this.#running = Promise.all(queues.map((lane) => this.#call(client, lane)));
  }
  async #call(client: Client, ids: readonly string[]): Promise<void> {
    while (!this.#stopped)
      for (const id of ids) {
        const fromMs = performance.now();
        await client.agent(counter, id).ask({ type: 'add' }, within);
        const gapMs = performance.now() - fromMs;
        this.answered.set(id, (this.answered.get(id) ?? 0) + 1);
        if (gapMs > (this.#gaps.get(id) ?? 0)) this.#gaps.set(id, gapMs);
      }
  }
  /** The longest wait of each since the last call. */
  takeGaps(): readonly number[] {
    const gaps = [...this.#gaps.values()];
    this.#gaps.clear();
    return gaps;
  }
  async stop(client: Client): Promise<void> {
    this.#stopped = true;
    await this.#running;
    for (const [id, count] of this.answered) {
      const { value } = await client.agent(counter, id).ask({ type: 'get' }, within);
      if (value !== count) throw new Error(`${id} is ${value}, acknowledged were ${count}`);
    }
  }
}
const counts = async (client: Client): Promise<Readonly<Record<string, number>>> => {
  const found: Record<string, number> = {};
  for (const { node } of await client.cluster.list({ type: 'counter', limit: 10_000 }))
    if (node !== null) found[node] = (found[node] ?? 0) + 1;
  return found;
};
const skew = (found: Readonly<Record<string, number>>, nodes: number): number => {
  const all = Object.values(found);
  return rounded((Math.max(...all) * nodes) / all.reduce((sum, count) => sum + count, 0));
};

/** How long one agent does not answer while it is moved from node to node, with nothing else going on. */
async function oneHandOff({ client }: DevCluster): Promise<Row[]> {
  await client.spawn(counter, { id: 'wanderer' });
  const tookMs: number[] = [];
  const callers = new Callers(client, ['wanderer']);
  await pause(500);
  for (let round = 0; round < 40; round++) {
    const [row] = await client.cluster.list({ type: 'counter', id: 'wanderer' });
    callers.takeGaps();
    await client.cluster.drain(row?.node ?? '');
    await pause(100);
    tookMs.push(...callers.takeGaps());
    await client.cluster.cordon(row?.node ?? '', false);
  }
  await callers.stop(client);
  return [spread('hand-off of one agent: longest wait of its caller', tookMs)];
}

async function drain({ client }: DevCluster): Promise<Row[]> {
  const ids = Array.from({ length: 900 }, (_, index) => `d${index}`);
  for (let from = 0; from < ids.length; from += 30)
    await Promise.all(ids.slice(from, from + 30).map((id) => client.spawn(counter, { id })));
  const callers = new Callers(client, ids, 32);
  await pause(3_000);
  callers.takeGaps();
  const fromMs = performance.now();
  const { moved } = (await client.cluster.drain('n1', { timeoutMs: 60_000 })) as { readonly moved: number };
  const tookMs = performance.now() - fromMs;
  const gaps = callers.takeGaps();
  await callers.stop(client);
  await client.cluster.cordon('n1', false);
  return [
    { what: `drain of ${moved} agents under load (32 callers)`, value: Math.round(tookMs), unit: 'ms' },
    spread('longest wait of each caller meanwhile', gaps),
  ];
}

/** A fourth node joins three that are even and rest: until its share is within 10 % of fair, and who moved how often. */
async function join({ client, addNode }: DevCluster): Promise<Row[]> {
  const list = () => client.cluster.list({ type: 'counter', limit: 10_000 });
  await pause(10_000);
  const before = await counts(client);
  const fair = Object.values(before).reduce((sum, count) => sum + count, 0) / 4;
  const places = new Map((await list()).map(({ id, node }) => [id, [node]]));
  addNode('n4');
  while (!((await client.cluster.nodes()) as readonly { readonly node: string }[]).some(({ node }) => node === 'n4')) await pause(20);
  const fromMs = performance.now();
  let tookMs: number | undefined;
  for (;;) {
    const nowMs = performance.now() - fromMs;
    const rows = await list();
    // Between two owners it is nowhere.
    for (const { id, node } of rows) if (node !== null && places.get(id)?.at(-1) !== node) places.get(id)?.push(node);
    const share = rows.filter(({ node }) => node === 'n4').length;
    if (tookMs === undefined && Math.abs(share - fair) <= fair * 0.1) tookMs = nowMs;
    if (nowMs > (tookMs ?? 60_000) + 10_000) break;
    await pause(20);
  }
  const after = await counts(client);
  const moves = [...places.values()].map((seen) => seen.length - 1);
  return [
    { what: `share of a fourth node within 10 % of ${fair}, after`, value: Math.round(tookMs ?? Number.NaN), unit: 'ms' },
    { what: 'skew before and after', value: `${skew(before, 4)} → ${skew(after, 4)}`, unit: 'fullest / fair' },
    {
      what: `agents that moved once, for ${after.n4 ?? 0} that it has`,
      value: moves.filter((count) => count === 1).length,
      unit: 'agents',
    },
    { what: 'agents that moved more than once', value: moves.filter((count) => count > 1).length, unit: 'agents' },
  ];
}

/** Agents of one node are busy, those of the others idle: where the work is, before and after the ledger has seen it. */
async function ledger({ client }: DevCluster): Promise<Row[]> {
  const ids = Array.from({ length: 36 }, (_, index) => `b${index}`);
  for (const id of ids) await client.spawn(burner, { id });
  const nodeOf = async () => new Map((await client.cluster.list({ type: 'bench-burner' })).map(({ id, node }) => [id, node ?? '']));
  await pause(6_000);
  const places = await nodeOf();
  const hot = ids.filter((id) => places.get(id) === 'n1');
  const share = async () => {
    const now = await nodeOf();
    const busy: Record<string, number> = {};
    for (const id of hot) busy[now.get(id) ?? ''] = (busy[now.get(id) ?? ''] ?? 0) + 1;
    return {
      skew: skew(busy, ((await client.cluster.nodes()) as readonly unknown[]).length),
      moved: hot.filter((id) => now.get(id) !== 'n1').length,
    };
  };
  const before = await share();
  let stopped = false;
  const burning = Promise.all(
    hot.map(async (id) => {
      while (!stopped) {
        await client.agent(burner, id).ask({ type: 'burn', ms: 5 }, within);
        await pause(100);
      }
    }),
  );
  await pause(20_000);
  const after = await share();
  stopped = true;
  await burning;
  return [
    {
      what: `skew of the work of ${hot.length} busy agents among ${ids.length}, before and after`,
      value: `${before.skew} → ${after.skew}`,
      unit: 'fullest / fair',
    },
    { what: 'busy agents that moved', value: after.moved, unit: 'agents' },
  ];
}

const results: (Row & { readonly servers: number })[] = [];
const sizes = process.argv.slice(2).map(Number) as (1 | 3)[];
for (const servers of sizes.length === 0 ? ([3] as const) : sizes) {
  await using cluster = await devCluster({ servers, nodes: 3 });
  for (const measure of [oneHandOff, ledger, drain, join]) {
    process.stderr.write(`${servers} server(s): ${measure.name}\n`);
    for (const row of await measure(cluster)) results.push({ servers, ...row });
  }
}
console.table(results);
console.log(JSON.stringify({ node: process.version, results }));
