import { counter } from 'nexa';
import { inFlight } from '../../suite/in-flight.ts';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Workload } from '../../suite/workload.ts';
import { formStores, placeRecord, stateRecord } from '../durable/journals.ts';
import { runStores } from '../durable/run-stores.ts';
import { again, pause } from './again.ts';
import { threeNodes } from './nodes.ts';

/** `unseenMs`: how long nobody may take its agents, as the lease says. */
const losses: Readonly<Record<string, { readonly agents: number; readonly signal: 'SIGKILL' | 'SIGSTOP'; readonly unseenMs: number }>> = {
  'killed, 300 agents': { agents: 300, signal: 'SIGKILL', unseenMs: 0 },
  'killed, 5,000 agents': { agents: 5_000, signal: 'SIGKILL', unseenMs: 0 },
  'stopped, 300 agents': { agents: 300, signal: 'SIGSTOP', unseenMs: 5_500 },
};
/** Of how many the time is taken: each of them is asked over and over, so that asking is not what is measured. */
const TIMED = 200;
const AT_ONCE = 64;

const nexa: Contender = {
  async run(run) {
    const { agents, signal } = losses[run.at] as (typeof losses)[string];
    const ids = Array.from({ length: run.count(agents) }, (_, index) => `f${index}`);
    await using nodes = await threeNodes(run);
    const { client } = nodes;
    const [, victim] = await nodes.running();
    if (victim === undefined) throw new Error('there is no second node');
    const each = (task: (id: string) => Promise<unknown>): Promise<void> =>
      inFlight(AT_ONCE, ids.length, (index) => again(() => task(ids[index] as string)));
    const add = (id: string, name: string, timeoutMs: number) =>
      client.agent(counter, id).ask({ type: 'add' }, { timeoutMs, requestId: `${name}-${id}` });
    await each((id) => client.spawn(counter, { id, spawnId: id, placement: { node: victim.node }, timeoutMs: 10_000 }));
    await each((id) => add(id, 'before', 5_000));
    const fromMs = performance.now();
    process.kill(victim.pid, signal);
    const tookMs = await Promise.all(
      ids
        .filter((_id, index) => index % Math.ceil(ids.length / TIMED) === 0)
        .map(async (id) => {
          await again(() => add(id, 'after', 250));
          return performance.now() - fromMs;
        }),
    );
    await each((id) => add(id, 'after', 5_000));
    const allMs = performance.now() - fromMs;
    // One before and one after: whatever else it is, an addition was lost, or done twice.
    let seen = 0;
    await each(async (id) => {
      if ((await client.agent(counter, id).ask({ type: 'get' }, { timeoutMs: 5_000 })).value === 2) seen++;
    });
    return { values: { ...shares(tookMs), all: allMs }, expected: ids.length, seen };
  },
};
const shares = (tookMs: readonly number[]) => ({ p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) });

/** What it takes of the store at the least, by hand: a new owner, its state read, and the next one over it. */
const bound: Contender = {
  async run({ at, urls, count }) {
    const { agents, unseenMs } = losses[at] as (typeof losses)[string];
    const total = count(agents);
    const stores = await runStores(urls[0] as string);
    await formStores(stores.url, stores.names, ['AGENTS', 'STATE']);
    const [places, states] = [await stores.bucket('AGENTS'), await stores.bucket('STATE')];
    const key = (index: number): string => `${counter.type}.f${index}`;
    const owned = new Array<number>(total);
    await inFlight(AT_ONCE, total, async (index) => {
      owned[index] = await places.create(key(index), placeRecord);
      await states.create(key(index), stateRecord);
    });
    const tookMs: number[] = [];
    const fromMs = performance.now();
    await pause(unseenMs);
    await inFlight(AT_ONCE, total, async (index) => {
      await places.update(key(index), placeRecord, owned[index] as number);
      await states.update(key(index), stateRecord, (await states.get(key(index)))?.revision as number);
      tookMs.push(performance.now() - fromMs);
    });
    const seen = (await stores.taken('AGENTS')) + (await stores.taken('STATE'));
    await stores.remove();
    return { values: { ...shares(tookMs), all: Math.max(...tookMs) }, expected: 4 * total, seen };
  },
};

export const failover: Workload = {
  name: 'failover',
  about:
    'A node process with durable agents is lost, killed under its launcher or stopped as a machine that hangs, and its agents are asked to count up until they answer elsewhere: how long after the loss. Three nodes, three replicating servers. The bound is what that costs the store at the least, by hand: a key with its owner written, a state read, the next one written over it, 64 of them under way.',
  measures: {
    p50: { unit: 'ms until an agent answers again', better: 'less' },
    p99: { unit: 'ms until an agent answers again', better: 'less' },
    all: { unit: 'ms until every one has answered', better: 'less' },
  },
  cases: Object.keys(losses),
  servers: 3,
  contenders: { nexa, bound },
  reach: [
    { measure: 'p99', at: 'killed, 300 agents', limit: 2_000 },
    // A thousand agents a second.
    { measure: 'p99', at: 'killed, 5,000 agents', limit: 5_000 },
    { measure: 'all', at: 'killed, 5,000 agents', limit: 7_500 },
    { measure: 'p99', at: 'stopped, 300 agents', limit: 10_000 },
  ],
  words:
    'Nobody tells of a node that only stands still: its lease of 5.5 s is watched first, and so the bound waits as long. Every addition that was acknowledged is there afterwards, and none twice. One machine does the work of all here: where the lost node had a machine of its own, the others are as fast as before.',
};
