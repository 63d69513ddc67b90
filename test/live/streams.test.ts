import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StreamRequest } from '../../src/actor/message.ts';
import type { ActorRef, StreamOptions } from '../../src/actor/ref.ts';
import { type Client, connect } from '../../src/client.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** A ticker that counts, and a relay that reads one on another node and counts on from there. */
const AGENTS = `
import { z } from 'zod';
import { command, defineAgent, streaming } from 'nexa';
const item = z.object({ n: z.int(), node: z.int() });
export const ticker = defineAgent({
  type: 'ticker', version: 1,
  commands: {
    count: streaming({ to: z.int(), stepMs: z.int().default(0) }, { item }),
    seen: command({}, { reply: z.object({ open: z.int(), ended: z.int(), made: z.int(), heapMb: z.number() }) }),
  },
  state: z.null(), initial: null, storage: 'memory',
}).handle({
  count: (_context, { to, stepMs }) => ({
    stream: async function* (signal) {
      seen.open++;
      try {
        for (let n = 0; n < to && !signal.aborted; n++) {
          if (stepMs > 0) await new Promise((resolve) => setTimeout(resolve, stepMs));
          seen.made++;
          yield { n, node: process.pid };
        }
      } finally {
        seen.open--;
        seen.ended++;
      }
    },
  }),
  seen: () => ({ reply: { ...seen, heapMb: process.memoryUsage().heapUsed / 2 ** 20 } }),
});
export const relay = defineAgent({
  type: 'relay', version: 1,
  commands: { count: streaming({ to: z.int(), stepMs: z.int().default(0) }, { item }) },
  state: z.null(), initial: null, storage: 'memory',
}).handle({
  count: (context, given) => {
    const source = context.agent(ticker, 't');
    return {
      stream: async function* (signal) {
        for await (const one of source.stream({ type: 'count', ...given }, { idleTimeoutMs: 60_000, signal })) yield one;
      },
    };
  },
});
const seen = { open: 0, ended: 0, made: 0 };
`;

let live: LiveCluster;
let client: Client;
let folder: Awaited<ReturnType<typeof temporary>>;
beforeAll(async () => {
  folder = await temporary();
  const agents = join(folder.path, 'agents');
  await mkdir(agents);
  await writeFile(join(agents, 'streams.ts'), AGENTS);
  live = await liveCluster({ nodes: 3, agents });
  client = await connect({ nats: live.urls, cluster: live.cluster });
  await client.spawnRaw({ agent: 'ticker', id: 't', placement: { node: 'n2' } });
  // Where the ticker is lost with its node, the relay stays.
  await client.spawnRaw({ agent: 'relay', id: 'r', placement: { node: 'n1' } });
});
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

type Item = { readonly n: number; readonly node: number };
const through = (type: 'ticker' | 'relay', message: object, options: StreamOptions) => {
  const ref = client.agent({ type, version: 1, commands: {} }, type === 'ticker' ? 't' : 'r') as unknown as ActorRef<
    StreamRequest<{ readonly type: 'count' }, Item>
  >;
  return ref.stream({ type: 'count', ...message }, options);
};
const seen = async () =>
  (await client.askRaw('ticker', 't', { type: 'seen' }, { timeoutMs: 5_000 })) as {
    readonly open: number;
    readonly ended: number;
    readonly made: number;
    readonly heapMb: number;
  };
const within: StreamOptions = { idleTimeoutMs: 60_000, window: 64 };
async function read(items: AsyncIterable<Item>, most = Number.POSITIVE_INFINITY, got: Item[] = []) {
  try {
    for await (const item of items) if (got.push(item) >= most) break;
    return { got, end: 'done' };
  } catch (error) {
    return { got, end: (error as { readonly code: string }).code };
  }
}
const inOrder = (got: readonly Item[]): void => expect(got.map(({ n }) => n)).toEqual(got.map((_, index) => index));

test('M9: items come from a node, and through a second one, all and in order', async () => {
  for (const type of ['ticker', 'relay'] as const) {
    const { got, end } = await read(through(type, { to: 20_000 }, within));
    expect([got.length, end]).toEqual([20_000, 'done']);
    inOrder(got);
  }
  await eventually('nothing is produced any more', 30_000, async () => (await seen()).open === 0);
});

test('M9: a reader that leaves ends the producer two nodes away', async () => {
  const before = (await seen()).ended;
  const { got, end } = await read(through('relay', { to: 1_000_000, stepMs: 1 }, within), 10);
  expect([got.length, end]).toEqual([10, 'done']);
  await eventually('the producer has ended', 10_000, async () => {
    const now = await seen();
    return now.open === 0 && now.ended === before + 1;
  });
});

test('M9: a reader that stops costs its window, and the producer waits', async () => {
  const before = await seen();
  const iterator = through('relay', { to: 1_000_000_000 }, within)[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({ n: 0 });
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const after = await seen();
  expect(after.open).toBe(1);
  // A window from the relay to the node that was asked, one from there to the reader outside, the relay's own, and what is in hand.
  expect(after.made - before.made).toBeLessThanOrEqual(2 * 64 + 16 + 4);
  report(`heap of the producer while its reader stands still for 5 s: ${before.heapMb.toFixed(1)} → ${after.heapMb.toFixed(1)} MB`);
  for (let n = 1; n < 500; n++) expect((await iterator.next()).value).toMatchObject({ n });
  await iterator.return?.();
  await eventually('the producer has ended', 10_000, async () => (await seen()).open === 0);
});

test('M9: the loss of the producer’s node ends the stream by name, behind items in order', async () => {
  const items: Item[] = [];
  const reading = read(through('relay', { to: 1_000_000, stepMs: 2 }, within), Number.POSITIVE_INFINITY, items);
  await eventually('some are read', 30_000, () => items.length > 0);
  const from = live.events.length;
  live.signal('n2', 'SIGKILL');
  const { got, end } = await reading;
  // Where the lost node had also taken this request, there is nobody left to say so: the reader finds its way broken.
  expect(['node-lost', 'stream-broken']).toContain(end);
  inOrder(got);
  await live.heard('ready', 'n2', from);
  const again = await eventually('it is produced elsewhere', 40_000, async () => {
    const next = await read(through('relay', { to: 100 }, { idleTimeoutMs: 2_000 }));
    return next.end === 'done' && next.got;
  });
  expect(again).toHaveLength(100);
});
