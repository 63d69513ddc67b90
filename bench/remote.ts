// Messages between two processes over one nats-server, beside what the server's own library does with as many bytes, by turns in one
// run: npm run bench -- remote [bytes]. The other process is this file again.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection } from 'nats';
import { type ActorRef, type NexaNode, type Request, receive, startNode } from 'nexa';
import { devCluster } from './dev-cluster.ts';

type Told = { readonly type: 'hit'; readonly text: string } | Request<{ readonly type: 'count' }, number>;
type Asked = Request<{ readonly type: 'echo'; readonly text: string }, string>;
interface Far {
  readonly sink: string;
  readonly echo: string;
}
const RAW = 'bench.raw';
const ROUNDS = 5;
const AT_ONCE = 64;

async function far(url: string): Promise<void> {
  const node = await startNode({ nats: url, name: 'far' });
  const raw = await connect({ servers: url, noAsyncTraces: true });
  let hits = 0;
  const sink = node.system.spawn<Told>({
    mailbox: { limit: 100_000, limitBytes: 2 ** 28 },
    behavior: () =>
      receive<Told>((context, message) => {
        if (message.type === 'hit') hits++;
        else context.reply(message, hits);
      }),
  });
  const echo = node.system.spawn<Asked>({ behavior: () => receive<Asked>((context, message) => context.reply(message, message.text)) });
  let published = 0;
  raw.subscribe(`${RAW}.tell`, { callback: () => void published++ });
  raw.subscribe(`${RAW}.count`, { callback: (_error, message) => void message.respond(String(published)) });
  raw.subscribe(`${RAW}.echo`, { callback: (_error, message) => void message.respond(message.data) });
  await raw.flush();
  process.on('message', () => process.send?.(cpuMs()));
  process.on('disconnect', () => void Promise.all([node.stop(), raw.close()]).then(() => process.exit()));
  process.send?.({ sink: sink.toJSON(), echo: echo.toJSON() } satisfies Far);
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const rate = async (count: number, run: () => Promise<unknown>): Promise<number> => {
  const fromMs = performance.now();
  await run();
  return count / ((performance.now() - fromMs) / 1_000);
};
/** So many runs, so many of them at a time. */
async function spreadOver(count: number, run: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const within = { timeoutMs: 60_000 };

async function tells(sink: ActorRef<Told>, text: string, count: number): Promise<number> {
  const before = await sink.ask({ type: 'count' }, within);
  return rate(count, async () => {
    for (let sent = 0; sent < count; sent++) if (!sink.tell({ type: 'hit', text })) await sink.ready(within);
    // Behind all of them, by the order of one sender through one ref.
    const handled = (await sink.ask({ type: 'count' }, within)) - before;
    if (handled !== count) throw new Error(`${handled} of ${count} tells were handled`);
  });
}
async function publishes(raw: NatsConnection, payload: Uint8Array, count: number): Promise<number> {
  const handled = async (): Promise<number> => Number((await raw.request(`${RAW}.count`, '', { timeout: 60_000 })).string());
  const before = await handled();
  return rate(count, async () => {
    // As many before the producer looks up as a channel lets through.
    for (let sent = 1; sent <= count; sent++) {
      raw.publish(`${RAW}.tell`, payload);
      if (sent % 2_000 === 0) await raw.flush();
    }
    const seen = (await handled()) - before;
    if (seen !== count) throw new Error(`${seen} of ${count} messages arrived`);
  });
}

async function measure(node: NexaNode, raw: NatsConnection, to: Far, bytes: number, farCpuMs: () => Promise<number>): Promise<void> {
  const sink = node.system.unsafeRef<Told>(to.sink);
  const echo = node.system.unsafeRef<Asked>(to.echo);
  const text = 'x'.repeat(bytes);
  const payload = new TextEncoder().encode(JSON.stringify({ type: 'hit', text }));
  const [told, asked] = [100_000, 30_000];
  const runs = {
    tell: () => tells(sink, text, told),
    publish: () => publishes(raw, payload, told),
    ask: () => rate(asked, () => spreadOver(asked, () => echo.ask({ type: 'echo', text }, within))),
    request: () => rate(asked, () => spreadOver(asked, () => raw.request(`${RAW}.echo`, payload, { timeout: 60_000 }))),
  };
  const counts = { tell: told, publish: told, ask: asked, request: asked };
  const seen = { tell: [], publish: [], ask: [], request: [] } as Record<keyof typeof runs, number[]>;
  const cpu = { tell: [], publish: [], ask: [], request: [] } as Record<keyof typeof runs, number[]>;
  for (let round = 0; round <= ROUNDS; round++)
    for (const what of ['publish', 'tell', 'request', 'ask'] as const) {
      const before = cpuMs() + (await farCpuMs());
      const perSecond = await runs[what]();
      // The first round is for the compilers.
      if (round === 0) continue;
      seen[what].push(perSecond);
      cpu[what].push(((cpuMs() + (await farCpuMs()) - before) * 1_000) / counts[what]);
    }
  const row = (what: string, ours: keyof typeof runs, theirs: keyof typeof runs) => ({
    ...{ what, bytes, nexaPerSecond: Math.round(median(seen[ours])), natsPerSecond: Math.round(median(seen[theirs])) },
    ratio: Number((median(seen[ours]) / median(seen[theirs])).toFixed(2)),
    // Of both processes, for each message: what a busy machine does not distort.
    ...{ nexaCpuUs: Number(median(cpu[ours]).toFixed(1)), natsCpuUs: Number(median(cpu[theirs]).toFixed(1)) },
  });
  const results = [row('tell beside publish', 'tell', 'publish'), row(`ask beside request, ${AT_ONCE} at once`, 'ask', 'request')];
  console.table(results);
  console.log(JSON.stringify({ node: process.version, results }));
}

async function main(bytes: number): Promise<void> {
  await using cluster = await devCluster({ servers: 1, nodes: 1 });
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['far', cluster.nats]);
  try {
    const to = await new Promise<Far>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Far));
      child.once('exit', () => reject(new Error('the other process ended')));
    });
    await using node = await startNode({ nats: cluster.nats, name: 'near' });
    const raw = await connect({ servers: cluster.nats, noAsyncTraces: true });
    const farCpuMs = (): Promise<number> =>
      new Promise((resolve) => {
        child.once('message', (said) => resolve(Number(said)));
        child.send('cpu');
      });
    await measure(node, raw, to, bytes, farCpuMs);
    await raw.close();
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await ended;
  }
}

const [first = '1000', url = ''] = process.argv.slice(2);
if (first === 'far') await far(url);
else await main(Number(first));
