import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message, Request } from '../../src/actor/message.ts';
import { serviceKey } from '../../src/actor/receptionist.ts';
import { leastLoaded } from '../../src/actor/routing/least-loaded.ts';
import { router } from '../../src/actor/routing/router.ts';
import { type Client, connect } from '../../src/client.ts';
import { startNode } from '../../supervisors/node.ts';
import type { NexaNode } from '../../supervisors/node-contract.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** An agent for each node: it listens alone and as one of a group, and offers a worker of its own. */
const AGENTS = `
import { z } from 'zod';
import { command, defineAgent, receive, serviceKey } from 'nexa';
const worker = (pid) => ({
  behavior: () => receive((context, message) => {
    if (message.type === 'who') context.reply(message, pid);
    else if (message.type === 'hold') { held++; context.replyTo(message); }
  }),
});
let held = 0;
export const desk = defineAgent({
  type: 'desk', version: 1,
  commands: {
    heard: command({ topic: z.string(), n: z.int() }),
    grouped: command({ n: z.int() }),
    publish: command({ topic: z.string(), from: z.int(), count: z.int() }),
    seen: command({}, { reply: z.object({ heard: z.array(z.string()), grouped: z.array(z.int()), held: z.int() }) }),
  },
  state: z.object({ heard: z.array(z.string()), grouped: z.array(z.int()) }),
  initial: { heard: [], grouped: [] }, storage: 'memory',
}).handle({
  heard: ({ state }, { topic, n }) => ({ state: { ...state, heard: [...state.heard, topic + ' ' + n] } }),
  grouped: ({ state }, { n }) => ({ state: { ...state, grouped: [...state.grouped, n] } }),
  publish: (context, { topic, from, count }) => {
    for (let n = from; n < from + count; n++) context.topic(topic).publish({ type: 'order', n });
  },
  seen: ({ state }) => ({ reply: { ...state, held } }),
}, {
  async started(context) {
    context.topic('orders.*.created').subscribe(({ n }, topic) => ({ type: 'heard', topic, n }));
    context.topic('orders.>').subscribe(({ n }) => ({ type: 'grouped', n }), { group: 'desks' });
    await context.receptionist.register(serviceKey('work'), context.spawn(worker(process.pid)));
  },
});
`;
interface Order extends Message {
  readonly type: 'order';
  readonly n: number;
}
interface Seen {
  readonly heard: readonly string[];
  readonly grouped: readonly number[];
  readonly held: number;
}
type Work = Request<{ readonly type: 'who' }, number> | Request<{ readonly type: 'hold' }, never>;

const NODES = ['n1', 'n2', 'n3'] as const;
let live: LiveCluster;
let client: Client;
let own: NexaNode;
let folder: Awaited<ReturnType<typeof temporary>>;
const seen = async (id: string) => (await client.askRaw('desk', id, { type: 'seen' }, { timeoutMs: 10_000 })) as Seen;
const tell = (id: string, command: object) => client.tellRaw('desk', id, command);
const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
/** Interest spreads from server to server: until a first message is heard everywhere nothing is promised. */
const heardEverywhere = (round: number) => {
  // From each who publishes here: every server hears of an interest in its own time. Numbers of no other message.
  const from = (publisher: number): number => -(10 * round + publisher);
  const topic = 'orders.warm.created';
  const warmed = async (): Promise<boolean> => {
    await client.topic<Order>(topic).publish({ type: 'order', n: from(1) });
    own.topic<Order>(topic).publish({ type: 'order', n: from(2) });
    for (const [index, node] of NODES.entries()) await tell(node, { type: 'publish', topic, from: from(3 + index), count: 1 });
    const all = await Promise.all(NODES.map(seen));
    return all.every(({ heard }) => [1, 2, 3, 4, 5].every((publisher) => heard.includes(`${topic} ${from(publisher)}`)));
  };
  return eventually('everybody subscribed', 60_000, () => warmed().catch(() => false), 100);
};

beforeAll(async () => {
  folder = await temporary();
  const agents = join(folder.path, 'agents');
  await mkdir(agents);
  await writeFile(join(agents, 'desk.ts'), AGENTS);
  live = await liveCluster({ servers: 3, nodes: 3, agents });
  client = await connect({ nats: live.urls, cluster: live.cluster });
  for (const node of NODES) await client.spawnRaw({ agent: 'desk', id: node, placement: { node } });
  own = await startNode({ nats: live.urls, cluster: live.cluster, name: 'own' });
  await heardEverywhere(1);
});
afterAll(async () => {
  await own?.stop();
  await client?.[Symbol.asyncDispose]();
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

// Fewer than a mailbox holds: what overflows it is a dead letter.
test('over three servers a wildcard subscriber of each node hears each message once, in the order of its publisher', async () => {
  await tell('n1', { type: 'publish', topic: 'orders.eu.created', from: 0, count: 200 });
  await tell('n2', { type: 'publish', topic: 'orders.us.created', from: 0, count: 200 });
  for (const node of NODES) {
    const { heard } = await eventually(`${node} has heard all`, 30_000, async () => {
      const said = await seen(node);
      return said.heard.filter((what) => !what.includes('warm')).length >= 400 && said;
    });
    for (const region of ['eu', 'us']) {
      const topic = `orders.${region}.created`;
      expect(
        heard.filter((what) => what.startsWith(topic)),
        node,
      ).toEqual(count(0, 200).map((n) => `${topic} ${n}`));
    }
  }
});

test('a group across nodes, with a stranger in it, gets each message once', async () => {
  const before = await Promise.all(NODES.map(seen));
  const strangers: number[] = [];
  const subject = `${live.prefix}.topic.orders.>`;
  const subscription = live.client.nats.subscribe(subject, {
    queue: 'desks',
    callback: (_error, message) => void strangers.push((message.json() as Order).n),
  });
  await live.client.nats.flush();
  for (const n of count(1_000, 1_600)) own.topic<Order>('orders.quiet').publish({ type: 'order', n });
  const grouped = await eventually('the group has all of them', 30_000, async () => {
    const now = await Promise.all(NODES.map(seen));
    const got = now.map(({ grouped }, index) => grouped.slice(before[index]?.grouped.length ?? 0).filter((n) => n >= 1_000));
    return got.flat().length + strangers.length >= 600 && got;
  });
  expect([...grouped.flat(), ...strangers].sort((a, b) => a - b)).toEqual(count(1_000, 1_600));
  report(`a group of three agents and a stranger took ${grouped.map((list) => list.length).join(', ')} and ${strangers.length} of 600`);
  subscription.unsubscribe();
});

test('nexa topics shows the same on every node: who listens where', async () => {
  const { topics } = await eventually('every node says', 30_000, async () => {
    const said = (await client.cluster.topics()) as {
      readonly topics: readonly { readonly pattern: string; readonly group: string | null; readonly node: string }[];
      readonly silent: readonly string[];
    };
    return said.silent.length === 0 && said;
  });
  expect(topics.map(({ pattern, group, node }) => `${pattern} ${group} ${node}`)).toEqual([
    ...NODES.map((node) => `orders.*.created null ${node}`),
    ...NODES.map((node) => `orders.> desks ${node}`),
  ]);
});

test('a routee whose node is killed mid-request: that ask is node-lost and not repeated, and the router goes on with the others', async () => {
  const key = serviceKey<Work>('work');
  const pool = router(own.system, { routees: own.system.receptionist.routees(key), strategy: leastLoaded() });
  await eventually('three workers', 20_000, () => pool.size === 3);
  const outcomes: { readonly code: string; readonly definite: boolean }[] = [];
  for (let each = 0; each < 3; each++)
    pool.ask({ type: 'hold' }, { timeoutMs: 120_000 }).catch(({ code, definite }) => void outcomes.push({ code, definite }));
  await eventually('each of them holds one', 20_000, async () => (await Promise.all(NODES.map(seen))).every(({ held }) => held === 1));
  const lost = live.pid('n2');
  const fromMs = performance.now();
  live.signal('n2', 'SIGKILL');
  await eventually('that ask has its outcome', 60_000, () => outcomes.length > 0);
  report(`SIGKILL of a routee's node: its asker was told after ${Math.round(performance.now() - fromMs)} ms`);
  expect(outcomes).toEqual([{ code: 'node-lost', definite: false }]);
  const others = new Set(await Promise.all(count(0, 8).map(() => pool.ask({ type: 'who' }, { timeoutMs: 10_000 }))));
  expect(others).not.toContain(lost);
  expect(outcomes.length).toBe(1);
  for (const node of ['n1', 'n3']) expect((await seen(node)).held).toBe(1);
  // Its agent is claimed elsewhere, subscribes and offers its worker again.
  await eventually('three workers again', 60_000, () => pool.size === 3);
  await heardEverywhere(2);
}, 180_000);
