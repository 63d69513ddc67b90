import { connect as connectNats } from 'nats';
import { type AnyAgent, connect, counter, echo, startNode } from 'nexa';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { clusterOf } from './seen-of-node.ts';

const SUBJECT = 'bench.create';
const SIZE = 1_000;
const kinds: Readonly<Record<string, AnyAgent>> = { memory: echo, durable: counter };

/** One after the other, a fifth of them to warm up; each says whether it was done. */
async function oneByOne({ count }: Run, create: (index: number) => Promise<boolean>): Promise<Seen> {
  const [size, warm] = [count(SIZE), count(SIZE / 5)];
  for (let index = 0; index < warm; index++) await create(index);
  const tookMs: number[] = [];
  let seen = 0;
  for (let index = warm; index < warm + size; index++) {
    const fromMs = performance.now();
    if (await create(index)) seen++;
    tookMs.push(performance.now() - fromMs);
  }
  return { values: { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) }, expected: size, seen };
}

/** A node in the other process, its agents spawned from here by message. */
const nexa: Contender = {
  async far({ urls: [nats = ''] }) {
    const node = await startNode({ nats, name: 'n1', cluster: clusterOf(process.ppid) });
    return { said: undefined, stop: () => node.stop() };
  },
  async run(run) {
    const { at, urls } = run;
    await using client = await connect({ nats: urls, cluster: clusterOf(process.pid) });
    const seen = await oneByOne(run, async (index) => (await client.spawn(kinds[at] as typeof echo, { id: `a${index}` })).created);
    // As the node knows them, those to warm up included.
    const listed = await client.cluster.list({ type: kinds[at]?.type ?? '', limit: 10_000 });
    return { ...seen, seen: listed.filter(({ id }) => Number(id.slice(1)) >= run.count(SIZE / 5)).length };
  },
};

/** What a message there and back takes by itself, with as many bytes each way. */
const request: Contender = {
  async far({ urls: [servers = ''] }) {
    const nats = await connectNats({ servers });
    const answer = JSON.stringify({ ok: true, agent: { type: 'echo', id: 'a1', node: 'n1', epoch: 1 }, created: true });
    nats.subscribe(SUBJECT, { callback: (_error, message) => void message.respond(answer) });
    await nats.flush();
    return { said: undefined, stop: () => nats.close() };
  },
  async run(run) {
    const nats = await connectNats({ servers: run.urls[0] ?? '', noAsyncTraces: true });
    const seen = await oneByOne(run, async (index) => {
      const spawn = JSON.stringify({ type: 'echo', id: `a${index}`, placement: { strategy: 'least-loaded' } });
      return (await nats.request(SUBJECT, spawn, { timeout: 5_000 })).json<{ created: boolean }>().created;
    });
    await nats.close();
    return seen;
  },
};

export const create: Workload = {
  name: 'create',
  about:
    'Agents created one after the other by message from another process: from the request until the answer that it runs. Its record is written to the store first, and its name is claimed: no other node can have it.',
  measures: { p50: { unit: 'ms', better: 'less' }, p99: { unit: 'ms', better: 'less' } },
  cases: Object.keys(kinds),
  servers: 1,
  contenders: { nexa, 'NATS request': request },
  reach: [{ measure: 'p99', limit: 50 }],
  words: 'A NATS request answered at once is the bound: nothing is stored, nothing claimed, nothing started.',
};
