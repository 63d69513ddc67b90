import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders } from './adders.ts';
import { rudeAgents } from './isolation-agents.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** docs/operations.md: a node that stands still for longer than its lease. */
const LOST_MS = 10_000;

interface Told {
  readonly event: string;
  readonly node: string;
  readonly [more: string]: unknown;
}
let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
const told: Told[] = [];
/** The highest lag that another node heard of this one in a beat. */
let lagMs = 0;
let looking = true;
let looker: Promise<void>;
beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ agents: await rudeAgents(folder.path) });
  live.client.nats.subscribe(`${live.prefix}.events.>`, {
    callback: (_error, message) => void told.push(JSON.parse(new TextDecoder().decode(message.data)) as Told),
  });
  const spawn = async (type: string, id: string, node: string): Promise<void> =>
    expect(await live.client.ask('spawn', { type, id, placement: { node } })).toMatchObject({ created: true });
  await spawn('stuck', 'a', 'n1');
  for (const [id, node] of [
    ['beside', 'n1'],
    ['elsewhere', 'n2'],
  ] as const)
    await spawn('counter', id, node);
  looker = (async () => {
    while (looking) {
      const answer = await live.client.ask('ctl.n2', { type: 'nodes' }, { timeoutMs: 1_000 });
      if (answer.ok)
        lagMs = Math.max(
          lagMs,
          ...answer.reply.nodes.flatMap((row: { node: string; lagMs: number | null }) => (row.node === 'n1' ? [row.lagMs ?? 0] : [])),
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
});
afterAll(async () => {
  looking = false;
  await looker;
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const block = (ms: number) => live.client.ask('agent.stuck.a', { type: 'block', ms }, { timeoutMs: 20_000 });
const placeOf = async (id: string) => {
  const row = (await live.client.list()).find((each) => each.id === id);
  return row === undefined ? undefined : `${row.node} ${row.epoch}`;
};
const slow = (from: number) => told.slice(from).filter(({ event }) => event === 'slow-handler');

test('B3: a handler that holds the event loop for less than the lease costs latency alone, and is told of, with the lag', async () => {
  const before = [await placeOf('a'), await placeOf('beside')];
  const adders = new Adders(live.client, ['beside', 'elsewhere']);
  for (const ms of [1_500, 1_500, 3_000]) {
    expect(await block(ms)).toMatchObject({ ok: true });
    const since = adders.acknowledged.get('beside') ?? 0;
    await eventually('its neighbour goes on', 5_000, () => (adders.acknowledged.get('beside') ?? 0) > since + 10);
  }
  await adders.stop();
  expect([await placeOf('a'), await placeOf('beside')]).toEqual(before);
  expect(adders.violations).toEqual([]);
  expect(adders.longestMs).toBeLessThan(4_500);
  await eventually('it is told three times', 10_000, () => slow(0).filter(({ running }) => running === false).length >= 3);
  // Neighbours were held up too, and say so; who held the loop says how long.
  const holders = slow(0).filter(({ heldLoopMs }) => Number(heldLoopMs) >= 1_000);
  expect(holders.length).toBeGreaterThanOrEqual(3);
  for (const event of holders) expect(event).toMatchObject({ node: 'n1', agent: { type: 'stuck', id: 'a' }, type: 'block', limitMs: 200 });
  await eventually('the lag is an alert', 15_000, () =>
    told.find(({ event, name, node }) => event === 'alert' && name === 'loop-lag' && node === 'n1'),
  );
  await eventually('the others heard of it', 5_000, () => lagMs >= 1_000);
  report(
    `blocked for 1.5, 1.5 and 3 s: nothing moved, the slowest addition took ${Math.round(adders.longestMs)} ms, others heard a lag of ${lagMs} ms`,
  );
});

test('B3: one that holds it for longer loses its agents, its writes are refused, and what was acknowledged is kept', async () => {
  expect(await live.client.ask('agent.stuck.a', { type: 'get' })).toEqual({ ok: true, reply: { value: 300 } });
  const kept = (await live.client.ask('agent.counter.beside', { type: 'get' })) as { readonly reply: { readonly value: number } };
  const pid = live.pid('n1');
  const from = live.events.length;
  const first = told.length;
  const fromMs = performance.now();
  const blocked = block(14_000);
  // The block has begun: nobody answers on n1.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const answered = await eventually('the blocked agent answers elsewhere', LOST_MS, async () => {
    const answer = await live.client.ask('agent.stuck.a', { type: 'add' }, { timeoutMs: 1_000, requestId: 'once' });
    return answer.ok && answer;
  });
  const movedMs = Math.round(performance.now() - fromMs);
  expect(answered).toEqual({ ok: true, reply: { value: 301 } });
  expect(await live.client.ask('agent.counter.beside', { type: 'add', by: 1 })).toEqual({
    ok: true,
    reply: { value: kept.reply.value + 1 },
  });
  for (const id of ['a', 'beside']) expect(await placeOf(id)).not.toMatch(/^n1 /);
  // The loop goes round again, its write of 400 is refused, and the process ends as one that was declared gone.
  expect(await live.heard('exited', 'n1', from)).toMatchObject({ pid, code: 75 });
  expect((await blocked).ok).toBe(false);
  await live.heard('ready', 'n1', from);
  expect(await live.client.ask('agent.stuck.a', { type: 'get' })).toEqual({ ok: true, reply: { value: 301 } });
  expect(await live.client.ask('agent.counter.beside', { type: 'get' })).toEqual({ ok: true, reply: { value: kept.reply.value + 1 } });
  expect(told.slice(first).filter(({ event, node }) => event === 'moved' && node !== 'n1').length).toBeGreaterThanOrEqual(2);
  report(`blocked for 14 s: its agents answer elsewhere after ${movedMs} ms; it exits 75`);
});
