import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders, HEAL_MS } from './adders.ts';
import { granted } from './granted.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

const ids = ['q0', 'q1', 'q2', 'q3', 'q4', 'q5'];

let live: LiveCluster;
let adders: Adders;
beforeAll(async () => {
  live = await liveCluster({ servers: 3 });
  // Where their names say, so that nothing is to be evened out later.
  const placement = { strategy: 'rendezvous' };
  for (const id of ids) await granted(() => live.client.ask('spawn', { type: 'counter', id, spawnId: id, placement }));
  adders = new Adders(live.client, ids);
});
afterAll(() => live?.stop());

const places = async (): Promise<Readonly<Record<string, string>>> => {
  const rows = await eventually('the agents are listed', HEAL_MS, async () => {
    const listed = await live.client.list();
    return listed.length === ids.length && listed;
  });
  return Object.fromEntries(rows.map((row) => [row.id, `${row.node} ${row.epoch}`]));
};
/** Every agent takes one more addition from now on. */
const goesOn = async (): Promise<number> => {
  const startedMs = performance.now();
  const before = new Map(adders.acknowledged);
  await eventually('every agent takes additions again', HEAL_MS, () =>
    ids.every((id) => (adders.acknowledged.get(id) ?? 0) > (before.get(id) ?? 0) + 1),
  );
  return Math.round(performance.now() - startedMs);
};
const leaderOf = (stream: string) =>
  eventually(`somebody leads ${stream}`, HEAL_MS, async () => {
    const answer = await live.client.nats.request(`$JS.API.STREAM.INFO.${stream}`, undefined, { timeout: 5_000 }).catch(() => undefined);
    const said = answer && (JSON.parse(new TextDecoder().decode(answer.data)) as { readonly cluster?: { readonly leader?: string } });
    return live.servers.servers.find((server) => server.name === said?.cluster?.leader);
  });

test('C5: when the server that leads the state of the agents is killed, writes go on after its election and nothing moves', async () => {
  await goesOn();
  const before = await places();
  const leader = await leaderOf(`KV_nexa_${live.cluster}_STATE`);
  await leader.kill();
  report(`SIGKILL of the leading nats-server: every agent takes additions again after ${await goesOn()} ms`);
  await leader.start();
  await live.servers.ready(HEAL_MS);
  expect(await places()).toEqual(before);
});

test('C6: without a quorum nothing is acknowledged, and after the heal every node runs and each acknowledged addition is there once', async () => {
  const before = live.nodes.map((node) => live.pid(node));
  const [killed, frozen] = live.servers.servers;
  await killed?.kill();
  frozen?.pause();
  const status = (node: string) => live.client.ask(`ctl.${node}`, { type: 'status' }, { timeoutMs: 1_000 });
  await eventually('every node is suspended', 60_000, async () => {
    const all = await Promise.all(live.nodes.map(status));
    return all.every((answer) => answer.ok && answer.reply.suspended === true);
  });
  const asked = await Promise.all(ids.map((id) => live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 10_000 })));
  for (const answer of asked) expect(answer).toMatchObject({ ok: false, error: { definite: true } });
  // Now: what was acknowledged before the last of them was suspended has had its time to arrive.
  const dark = adders.total;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(adders.total).toBe(dark);

  const healedMs = performance.now();
  frozen?.resume();
  await killed?.start();
  await live.servers.ready(HEAL_MS);
  const quorumMs = Math.round(performance.now() - healedMs);
  const goesOnMs = quorumMs + (await goesOn());
  report(`two of three nats-servers back: writable after ${quorumMs} ms, every agent takes additions again after ${goesOnMs} ms`);
  await eventually('every node runs', HEAL_MS, async () => {
    const all = await Promise.all(live.nodes.map(status));
    return all.every((answer) => answer.ok && answer.reply.suspended === false && answer.reply.state === 'running');
  });
  await adders.stop();
  for (const id of ids) {
    expect(await granted(() => live.client.ask(`agent.counter.${id}`, { type: 'get' }))).toEqual({
      ok: true,
      reply: { value: adders.acknowledged.get(id) },
    });
  }
  expect(adders.violations).toEqual([]);
  const restarted = live.nodes.filter((node, index) => live.pid(node) !== before[index]);
  for (const event of live.events) if (event.event === 'exited') expect(event).toMatchObject({ code: 75 });
  report(
    `${adders.total} additions acknowledged, each once; refusals on the way ${JSON.stringify(Object.fromEntries(adders.refusals))}; ` +
      `restarted nodes: ${restarted.length}; the longest addition took ${Math.round(adders.longestMs)} ms`,
  );
});
