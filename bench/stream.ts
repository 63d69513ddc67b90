// Items of 1 kB from a node to another, beside the same bytes by nothing but NATS between two processes: npm run bench -- stream
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect as connectNats } from 'nats';
import { drinker, fountain, fountainProtocol } from './agents/streams.ts';
import { devCluster } from './dev-cluster.ts';

const BYTES = 1_024;
const ITEMS = 200_000;
const WINDOW = 1_024;
const STOP_MS = 10_000;
const RUNS = 3;
const long = { timeoutMs: 120_000 };
const me = fileURLToPath(import.meta.url);
const rounded = (value: number): number => Number(value.toPrecision(3));
const best = (values: readonly number[]): number => Math.max(...values);

/** Publishes as fast as the connection takes it. */
async function publisher(servers: string): Promise<void> {
  const nats = await connectNats({ servers });
  const payload = new Uint8Array(BYTES);
  for (let sent = 0; sent < ITEMS; sent++) {
    nats.publish('raw', payload);
    if (sent % 1_000 === 0) await nats.flush();
  }
  await nats.flush();
  await nats.close();
}

/** Messages per second from one process to another. */
async function raw(servers: string): Promise<number> {
  const nats = await connectNats({ servers });
  let got = 0;
  let fromMs = 0;
  const all = new Promise<number>((resolve) => {
    nats.subscribe('raw', {
      callback: () => {
        if (got++ === 0) fromMs = performance.now();
        if (got === ITEMS) resolve(got / ((performance.now() - fromMs) / 1_000));
      },
    });
  });
  await nats.flush();
  const child = fork(me, ['publish', servers]);
  const perSecond = await all;
  if (child.exitCode === null) await once(child, 'exit');
  await nats.close();
  return perSecond;
}

async function measure(): Promise<void> {
  await using cluster = await devCluster({ servers: 1, nodes: 2 });
  const { client, nats } = cluster;
  await client.spawn(fountain, { id: 'f', placement: { node: 'n1' } });
  const { ref, node } = await client.spawn(drinker, { id: 'd', placement: { node: 'n2' } });
  if (node !== 'n2') throw new Error('the two ends are on one node');
  const drink = (items: number, stopMs = 0) => ref.ask({ type: 'drink', target: 'f', bytes: BYTES, items, window: WINDOW, stopMs }, long);
  await drink(ITEMS);
  const [streamed, published]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const { items, seconds } = await drink(ITEMS);
    if (items !== ITEMS) throw new Error(`only ${items} of ${ITEMS} items arrived`);
    streamed.push(items / seconds);
    published.push(await raw(nats));
  }
  const producer = client.agent(fountainProtocol, 'f');
  const before = await producer.ask({ type: 'heap' }, long);
  const stopping = drink(100_000_000, STOP_MS);
  await new Promise((resolve) => setTimeout(resolve, STOP_MS - 500));
  const after = await producer.ask({ type: 'heap' }, long);
  const reader = await stopping;
  const results = [
    { what: `items of ${BYTES} bytes from node to node, window ${WINDOW}`, value: Math.round(best(streamed)), unit: 'items/s' },
    { what: 'the same bytes, NATS alone between two processes', value: Math.round(best(published)), unit: 'messages/s' },
    { what: 'ratio', value: rounded(best(streamed) / best(published)), unit: '' },
    { what: 'heap of the producer before its reader stopped', value: rounded(before), unit: 'MB' },
    { what: `heap of the producer, its reader stopped for ${STOP_MS} ms`, value: rounded(after), unit: 'MB' },
    { what: 'heap of the reader before it stopped', value: rounded(reader.heapBefore), unit: 'MB' },
    { what: 'heap of the reader after it', value: rounded(reader.heapAfter), unit: 'MB' },
  ];
  console.table(results);
  console.log(JSON.stringify({ node: process.version, results }));
}

const [role, servers = ''] = process.argv.slice(2);
await (role === 'publish' ? publisher(servers) : measure());
