import { type AnyAgent, counter } from 'nexa';
import { inFlight } from '../../suite/in-flight.ts';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { become, pause } from './again.ts';
import { Callers } from './callers.ts';
import { type Nodes, threeNodes } from './nodes.ts';
import { placesOf, skew } from './places.ts';

const AGENTS = 900;
const MOVES = 40;
const SPAWNS_AT_ONCE = 32;
/** How far from its fair share the new node may be. */
const NEAR = 0.1;
/** Afterwards nothing moves any more. */
const STILL_MS = 5_000;
const LOOK_MS = 50;

async function spawned({ client }: Nodes, definition: AnyAgent, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, index) => `m${index}`);
  await inFlight(SPAWNS_AT_ONCE, count, (index) => client.spawn(definition as typeof counter, { id: ids[index] as string }));
  return ids;
}
const waits = (longestMs: readonly number[]) => ({ p50: quantile(longestMs, 0.5), p99: quantile(longestMs, 0.99) });

/** One agent, asked without end, and moved by draining the node that it is on, again and again. */
async function handOff(nodes: Nodes, { count }: Run): Promise<Seen> {
  const { client } = nodes;
  const ids = await spawned(nodes, counter, 1);
  const callers = new Callers(client, ids, 1);
  await pause(500);
  const longestMs: number[] = [];
  for (let move = 0; move < count(MOVES); move++) {
    const [node = ''] = (await placesOf(nodes, counter.type)).values();
    callers.takeLongestMs();
    await client.cluster.drain(node);
    await pause(100);
    longestMs.push(...callers.takeLongestMs());
    await client.cluster.cordon(node, false);
  }
  return { values: waits(longestMs), ...(await callers.stop()) };
}

/** A third of the agents leaves its node, while 32 callers ask all of them. */
async function drain(nodes: Nodes, { count }: Run): Promise<Seen> {
  const { client } = nodes;
  const callers = new Callers(client, await spawned(nodes, counter, count(AGENTS)), 32);
  await pause(1_000);
  callers.takeLongestMs();
  const fromMs = performance.now();
  await client.cluster.drain('n1', { timeoutMs: 60_000 });
  const took = performance.now() - fromMs;
  const longestMs = callers.takeLongestMs();
  const counted = await callers.stop();
  const left = [...(await placesOf(nodes, counter.type)).values()].filter((node) => node === 'n1').length;
  return { values: { took, ...waits(longestMs), left }, ...counted };
}

/** A fourth node joins three that are even. */
async function join(nodes: Nodes, { count }: Run): Promise<Seen> {
  const ids = await spawned(nodes, counter, count(AGENTS));
  const fair = ids.length / 4;
  const path = new Map(ids.map((id) => [id, [] as string[]]));
  const look = async (): Promise<number> => {
    const places = await placesOf(nodes, counter.type);
    for (const [id, node] of places) if (path.get(id)?.at(-1) !== node) path.get(id)?.push(node);
    return [...places.values()].filter((node) => node === 'n4').length;
  };
  await look();
  nodes.add('n4');
  await become('a fourth node runs', async () => (await nodes.running()).length === 4, LOOK_MS);
  const fromMs = performance.now();
  await become('it has its share', async () => Math.abs((await look()) - fair) <= Math.max(1, fair * NEAR), LOOK_MS);
  const took = performance.now() - fromMs;
  for (const untilMs = performance.now() + STILL_MS; performance.now() < untilMs; await pause(LOOK_MS)) await look();
  const places = await placesOf(nodes, counter.type);
  const twice = [...path.values()].filter((seen) => seen.length > 2).length;
  return { values: { took, skew: skew(places.values(), 4), twice }, expected: ids.length, seen: places.size };
}

const moves: Readonly<Record<string, (nodes: Nodes, run: Run) => Promise<Seen>>> = {
  'hand-off of one': handOff,
  'drain of a node': drain,
  'a fourth node': join,
};
const nexa: Contender = {
  async run(run) {
    await using nodes = await threeNodes(run);
    // Awaited here: with the nodes its client is closed.
    return await (moves[run.at] as (typeof moves)[string])(nodes, run);
  },
};

export const moving: Workload = {
  name: 'moving',
  about: `Agents with durable state that move on purpose, on three nodes and three replicating servers: one that is handed over ${MOVES} times while it is asked without end; a node that is drained while ${AGENTS} agents, a third of them its own, are asked; and a fourth node beside ${AGENTS}.`,
  measures: {
    p50: { unit: 'ms, the longest wait for an agent', better: 'less' },
    p99: { unit: 'ms, the longest wait for an agent', better: 'less' },
    took: { unit: 'ms until it is done', better: 'less' },
    skew: { unit: 'of the fullest node, in fair shares', better: 'less', steady: true },
    twice: { unit: 'agents that moved more than once', better: 'less', steady: true },
    left: { unit: 'agents that stayed', better: 'less', steady: true },
  },
  cases: Object.keys(moves),
  servers: 3,
  contenders: { nexa },
  reach: [
    { measure: 'p50', at: 'hand-off of one', limit: 20 },
    { measure: 'p99', at: 'drain of a node', limit: 1_000 },
    { measure: 'took', at: 'drain of a node', limit: 5_000 },
    { measure: 'left', at: 'drain of a node', limit: 0 },
    { measure: 'took', at: 'a fourth node', limit: 10_000 },
    { measure: 'skew', at: 'a fourth node', limit: 1.2 },
    { measure: 'twice', at: 'a fourth node', limit: 0 },
  ],
  words: 'Every addition that was acknowledged while agents moved is there afterwards, and none twice. No ask failed.',
};
