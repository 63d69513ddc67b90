import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders, HEAL_MS } from './adders.ts';
import { rudeAgents } from './isolation-agents.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

interface Told {
  readonly event: string;
  readonly node: string;
  readonly agent?: { readonly type: string; readonly id: string };
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
    expect(await live.client.insist('spawn', { type, id, placement: { node } })).toMatchObject({ ok: true });
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

/** Each adds 100. */
let blocks = 0;
const block = (ms: number) => live.client.ask('agent.stuck.a', { type: 'block', ms }, { timeoutMs: 20_000 });
const blockShortly = async (ms: number): Promise<void> => {
  expect(await block(ms)).toEqual({ ok: true, reply: { value: 100 * ++blocks } });
};
const placeOf = async (id: string) => {
  const row = (await live.client.list()).find((each) => each.id === id);
  return row === undefined ? undefined : `${row.node} ${row.epoch}`;
};
const slow = (from: number) => told.slice(from).filter(({ event }) => event === 'slow-handler');

test('B3: a handler that holds the event loop for less than the lease costs latency alone, and is told of, with the lag', async () => {
  const before = [await placeOf('a'), await placeOf('beside')];
  const adders = new Adders(live.client, ['beside', 'elsewhere']);
  for (const ms of [1_500, 1_500, 3_000]) {
    await blockShortly(ms);
    const since = adders.acknowledged.get('beside') ?? 0;
    await eventually('its neighbour goes on', HEAL_MS, () => (adders.acknowledged.get('beside') ?? 0) > since + 10);
  }
  await adders.stop();
  expect([await placeOf('a'), await placeOf('beside')]).toEqual(before);
  expect(adders.violations).toEqual([]);
  // Neighbours were held up too, and say so; who held the loop says how long.
  const holders = await eventually('it is told three times', 30_000, () => {
    const long = slow(0).filter(({ heldLoopMs }) => Number(heldLoopMs) >= 1_000);
    return long.length >= 3 && long;
  });
  for (const event of holders) expect(event).toMatchObject({ node: 'n1', agent: { type: 'stuck', id: 'a' }, type: 'block', limitMs: 200 });
  // Two looks in a row make an alert, and the next beat says something else: whoever did not look just then sees the next blocks.
  await eventually(
    'the lag is an alert, and the others heard of it',
    HEAL_MS,
    async () => {
      if (lagMs >= 1_000 && told.some(({ event, name, node }) => event === 'alert' && name === 'loop-lag' && node === 'n1')) return true;
      for (const ms of [1_500, 1_500]) await blockShortly(ms);
      return false;
    },
    2_000,
  );
  report(
    `blocked for 1.5, 1.5 and 3 s: nothing moved, the slowest addition took ${Math.round(adders.longestMs)} ms, others heard a lag of ${lagMs} ms`,
  );
});

test('B3: one that holds it for longer loses its agents, its writes are refused, and what was acknowledged is kept', async () => {
  await live.settled();
  const stored = 100 * blocks;
  expect(await live.client.insist('agent.stuck.a', { type: 'get' })).toEqual({ ok: true, reply: { value: stored } });
  const kept = (await live.client.insist('agent.counter.beside', { type: 'get' })) as { readonly reply: { readonly value: number } };
  const pid = live.pid('n1');
  const from = live.events.length;
  const first = told.length;
  const fromMs = performance.now();
  const blocked = block(14_000);
  await eventually('the block has begun: nobody answers on n1', 10_000, async () => {
    return !(await live.client.ask('ctl.n1', { type: 'status' }, { timeoutMs: 500 })).ok;
  });
  const answered = await eventually('the blocked agent answers elsewhere', HEAL_MS, async () => {
    const answer = await live.client.ask('agent.stuck.a', { type: 'add' }, { timeoutMs: 1_000, requestId: 'once' });
    return answer.ok && answer;
  });
  const movedMs = Math.round(performance.now() - fromMs);
  expect(answered).toEqual({ ok: true, reply: { value: stored + 1 } });
  expect(await live.client.insist('agent.counter.beside', { type: 'add', by: 1 })).toEqual({
    ok: true,
    reply: { value: kept.reply.value + 1 },
  });
  // The loop goes round again, its write of 400 is refused, and the process ends as one that was declared gone.
  expect(await live.heard('exited', 'n1', from)).toMatchObject({ pid, code: 75 });
  expect((await blocked).ok).toBe(false);
  await live.heard('ready', 'n1', from);
  expect(await live.client.insist('agent.stuck.a', { type: 'get' })).toEqual({ ok: true, reply: { value: stored + 1 } });
  expect(await live.client.insist('agent.counter.beside', { type: 'get' })).toEqual({ ok: true, reply: { value: kept.reply.value + 1 } });
  // Once n1 is there again, one of them may go back to it.
  for (const id of ['a', 'beside'])
    await eventually(`${id} went elsewhere`, 20_000, () =>
      told.slice(first).some(({ event, node, agent }) => event === 'moved' && node !== 'n1' && agent?.id === id),
    );
  report(`blocked for 14 s: its agents answer elsewhere after ${movedMs} ms; it exits 75`);
});
