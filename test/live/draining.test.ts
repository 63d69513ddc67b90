import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders } from './adders.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

const ids = Array.from({ length: 60 }, (_, index) => `d${index}`);
const WAIT = { timeoutMs: 30_000 };

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 4 });
  for (const id of ids) expect(await live.client.insist('spawn', { type: 'counter', id })).toMatchObject({ ok: true });
});
afterAll(() => live?.stop());

const perNode = async (): Promise<Readonly<Record<string, number>>> => {
  const rows = await live.client.list();
  return Object.fromEntries(live.nodes.map((node) => [node, rows.filter((row) => row.node === node).length]));
};
const status = async (node: string) => {
  const answer = await live.client.ask(`ctl.${node}`, { type: 'status' });
  return answer.ok ? (answer.reply as { readonly state: string; readonly cordoned: boolean }) : undefined;
};

test('C7, C10: nodes are drained one after the other under load; nothing acknowledged is lost or doubled, and each gets its share again', async () => {
  const adders = new Adders(live.client, ids);
  for (const node of ['n1', 'n2']) {
    const begunMs = performance.now();
    const drained = await live.client.ask(`ctl.${node}`, { type: 'drain' }, WAIT);
    report(`${node} drained of ${drained.ok ? drained.reply.moved : 0} agents in ${Math.round(performance.now() - begunMs)} ms`);
    expect(drained).toMatchObject({ ok: true, reply: { left: 0, lostMemory: 0, blocked: null } });
    expect(await status(node)).toMatchObject({ state: 'maintenance', cordoned: true });
    // Whoever is asked may hear of the last move later.
    await eventually(`${node} is empty`, 20_000, async () => (await perNode())[node] === 0);
    expect(await live.client.ask('spawn', { type: 'counter', id: `no-${node}`, placement: { node } })).toMatchObject({
      ok: false,
      error: { code: 'unavailable', definite: true, where: { node } },
    });
    expect(await live.client.ask(`ctl.${node}`, { type: 'uncordon' })).toEqual({ ok: true });
    expect(await status(node)).toMatchObject({ state: 'running', cordoned: false });
    await eventually(`${node} has its share again`, 90_000, async () => ((await perNode())[node] ?? 0) >= 12, 200);
  }
  await adders.stop();
  expect(adders.violations).toEqual([]);
  report(
    `${adders.total} additions acknowledged, the slowest after ${Math.round(adders.longestMs)} ms, ${adders.refusals.size} kinds of refusal`,
  );
  for (const id of ids)
    expect(await live.client.insist(`agent.counter.${id}`, { type: 'get' })).toEqual({
      ok: true,
      reply: { value: adders.acknowledged.get(id) },
    });
});

test('in a cordoned cluster agents run on and answer; a spawn and a drain are refused with place and fix', async () => {
  for (const node of live.nodes) expect(await live.client.ask(`ctl.${node}`, { type: 'cordon' })).toEqual({ ok: true });
  await eventually('every node knows of all', 20_000, async () => {
    const seen = await Promise.all(live.nodes.map((node) => live.client.ask(`ctl.${node}`, { type: 'nodes' })));
    return seen.every((answer) => answer.ok && answer.reply.nodes.every((row: { readonly cordoned: boolean }) => row.cordoned));
  });
  const refused = await live.client.ask('spawn', { type: 'counter', id: 'late' });
  expect(refused).toMatchObject({ ok: false, error: { code: 'unavailable', definite: true, fix: expect.stringMatching(/nexa nodes/) } });
  expect(await live.client.ask('agent.counter.d0', { type: 'get' })).toMatchObject({ ok: true });
  expect(await live.client.ask('ctl.n1', { type: 'drain' }, WAIT)).toMatchObject({
    ok: false,
    error: { code: 'unavailable', definite: true, where: { node: 'n1' } },
  });
  expect(await status('n1')).toMatchObject({ state: 'running' });
  for (const node of live.nodes) expect(await live.client.ask(`ctl.${node}`, { type: 'uncordon' })).toEqual({ ok: true });
  expect(await live.client.insist('spawn', { type: 'counter', id: 'late' })).toMatchObject({ ok: true, created: true });
});
