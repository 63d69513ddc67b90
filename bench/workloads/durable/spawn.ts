import { counter, startNode } from 'nexa';
import { inFlight } from '../../suite/in-flight.ts';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Run, Workload } from '../../suite/workload.ts';
import { formStores, placeRecord, stateRecord } from './journals.ts';
import { type RunStores, runStores } from './run-stores.ts';

const NODES: Readonly<Record<string, number>> = { '1 node': 1, '3 nodes': 3 };
const LANES = 64;
const SPAWNS = 5_000;
const { type } = counter;

/** Makes one agent of that id, or what one takes in the store. */
type Spawner = (id: string) => Promise<unknown>;

/** How long each took and how many a second; a quarter to warm up. What the store holds then is counted key by key. */
async function measured({ urls, count }: Run, begin: (stores: RunStores) => Promise<Spawner>) {
  const total = count(SPAWNS);
  const warm = Math.ceil(total / 4);
  const stores = await runStores(urls[0] as string);
  const spawn = await begin(stores);
  await stores.lead('AGENTS', 'STATE');
  let made = 0;
  const tookMs: number[] = [];
  const one = async (): Promise<void> => {
    const fromMs = performance.now();
    await spawn(`a${made++}`);
    tookMs.push(performance.now() - fromMs);
  };
  await inFlight(LANES, warm, one);
  tookMs.length = 0;
  const fromMs = performance.now();
  await inFlight(LANES, total, one);
  const rate = total / ((performance.now() - fromMs) / 1_000);
  const values = { rate, p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) };
  const seen = (await stores.keys('AGENTS', type)) + (await stores.keys('STATE', type));
  await stores.remove();
  return { values, expected: 2 * made, seen };
}

/** A request as any program may send it to whichever node is free. */
const requested =
  ({ connection, names }: RunStores): Spawner =>
  async (id) => {
    const answer = await connection.request(names.spawn, JSON.stringify({ type, id }), { timeout: 60_000 });
    if (answer.json<{ readonly created?: boolean }>().created !== true) throw new Error(`${id} was not spawned: ${answer.string()}`);
  };

const nexa: Contender = {
  fars: (at) => NODES[at] as number,
  far: async ({ urls }, index) => ({
    said: undefined,
    answer: (cluster) =>
      startNode({ name: `n${index + 1}`, cluster: String(cluster), nats: urls[0] as string, replicas: 3 }).then(() => true),
    // Its stores are gone by then: there is nothing that it could give back.
    stop: async () => undefined,
  }),
  run: (run) =>
    measured(run, async (stores) => {
      for (const far of run.fars) await far.ask(stores.names.cluster);
      return requested(stores);
    }),
};

const created: Contender = {
  run: (run) =>
    measured(run, async (stores) => {
      await formStores(stores.url, stores.names, ['AGENTS', 'STATE']);
      const agents = await stores.bucket('AGENTS');
      const states = await stores.bucket('STATE');
      return async (id) => {
        await agents.create(`${type}.${id}`, placeRecord);
        await states.create(`${type}.${id}`, stateRecord);
      };
    }),
};

export const spawn: Workload = {
  name: 'spawn',
  about:
    'A program outside the cluster has durable agents spawned, 64 requests under way; each is answered when the agent runs, with its place and its first state on three replicating servers. The bound is what that costs the store at the least: one key of each of the two buckets made by hand, one after the other.',
  measures: {
    rate: { unit: 'spawns/s', better: 'more' },
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
  },
  cases: Object.keys(NODES),
  servers: 3,
  contenders: { nexa, bound: created },
  reach: [
    { measure: 'rate', limit: 1_200 },
    { measure: 'p50', limit: 50 },
  ],
  words:
    'With three nodes the servers, the nodes and the program that asks share the cores of one machine: what three machines would do it does not say.',
};
