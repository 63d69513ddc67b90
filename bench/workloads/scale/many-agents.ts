import { startNode } from 'nexa';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { clusterOf, memory, subscriptions } from './seen-of-node.ts';
import { visitAll, visitors } from './visitors.ts';

const FEW = 10;
const AGAIN = 2_000;
const AT_ONCE = 64;
const names = (prefix: string, count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** One node in this process, and so many agents of it, each spawned by the first message to it. */
const many = (full: number): Contender => ({
  async run({ at, urls: [nats = ''], monitors: [monitor = ''], count }: Run): Promise<Seen> {
    const agents = count(full);
    await using node = await startNode({ nats, name: 'n1', cluster: clusterOf(process.pid), agents: Object.values(visitors) });
    const first = { before: 0, atOnce: AT_ONCE };
    // What the compilers and the buffers of the node take is not the agents'.
    await visitAll(node, at, names('warm', count(3_000)), first);
    await visitAll(node, at, names('few', FEW), first);
    const [few, before] = [await subscriptions(monitor, 'n1'), await memory()];
    const ids = names('agent', agents);
    const fromMs = performance.now();
    const spawned = await visitAll(node, at, ids, first);
    const seconds = (performance.now() - fromMs) / 1_000;
    const after = await settled();
    const growth = (await subscriptions(monitor, 'n1')) - few;
    // Left alone, they are still there and know what they were told.
    const some = ids.filter((_id, index) => index % Math.ceil(agents / Math.min(agents, AGAIN)) === 0);
    const again = await visitAll(node, at, some, { before: 1, atOnce: AT_ONCE });
    return {
      values: {
        bytes: (after.liveBytes - before.liveBytes) / agents,
        resident: Math.max(0, after.residentBytes - before.residentBytes) / agents / 1_024,
        activations: agents / seconds,
        again: quantile(again.tookMs, 0.99),
        subscriptions: growth,
      },
      expected: agents + some.length,
      seen: spawned.right + again.right,
    };
  },
});

/** Once nothing more is put away: what is written down or put off by some seconds is no agent's. */
async function settled(): Promise<Awaited<ReturnType<typeof memory>>> {
  let last = await memory();
  for (let tries = 0; tries < 10; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await memory();
    if (now.liveBytes > last.liveBytes * 0.99) return now;
    last = now;
  }
  return last;
}

export const manyAgents: Workload = {
  name: 'many-agents',
  about:
    '100,000 agents of one node, each spawned by the first message to it: `memory` agents stay active, `durable` ones are put away once they have rested (all but 500). What each takes while it is idle, its place in the table of places included.',
  measures: {
    bytes: { unit: 'B of live objects an agent', better: 'less', steady: true },
    resident: { unit: 'KiB of resident memory an agent', better: 'less' },
    activations: { unit: 'first answers/s', better: 'more' },
    again: { unit: 'ms until a rested agent answers, 64 at once, p99', better: 'less' },
    subscriptions: { unit: 'subscriptions more than with ten agents', better: 'less', steady: true },
  },
  cases: ['memory', 'durable'],
  servers: 1,
  contenders: { nexa: many(100_000), 'nexa, 25,000': many(25_000) },
  reach: [
    { measure: 'bytes', limit: 2_000 },
    { measure: 'bytes', beside: 'nexa, 25,000', ratio: 0.91 },
    { measure: 'resident', limit: 2_048 },
    { measure: 'subscriptions', limit: 0 },
  ],
  rounds: 2,
  words:
    'A node subscribes for itself, not for its agents. Resident memory holds what the garbage collector has not given back: it says what a process grows to, not what an agent is.',
};
