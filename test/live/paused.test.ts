import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders, HEAL_MS } from './adders.ts';
import { granted } from './granted.ts';
import { eventually, type LiveCluster, liveCluster, report, send } from './support.ts';

const ids = Array.from({ length: 9 }, (_, index) => `p${index}`);
/** Of the second test: at the nodes that they were spawned for, so that evening out the load is no reason to move them. */
const settled = Array.from({ length: 6 }, (_, index) => `s${index}`);
/** Three times its lease. */
const ASLEEP_MS = 15_000;
const WITHOUT_QUORUM_MS = 20_000;
/** docs/operations.md, what a failure costs: after a silent loss, and after the heal of a quorum that was lost for less than 60 s. */
const LOST_MS = 10_000;
const HEALED_MS = 15_000;

let live: LiveCluster;
let adders: Adders;
beforeAll(async () => {
  live = await liveCluster({ servers: 3 });
  await spawned(ids);
  adders = new Adders(live.client, ids);
});
afterAll(() => live?.stop());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const spawned = async (these: readonly string[]): Promise<void> => {
  for (const [index, id] of these.entries()) {
    const placement = { node: live.nodes[index % 3] };
    // A node that was started again is ready before everybody has heard of it.
    await granted(() => live.client.ask('spawn', { type: 'counter', id, spawnId: id, placement }));
  }
};
const places = async (these: readonly string[] = ids): Promise<ReadonlyMap<string, string>> => {
  const rows = await eventually('the agents are listed', HEAL_MS, async () => {
    const listed = (await live.client.list()).filter(({ id }) => these.includes(id));
    return listed.length === these.length && listed;
  });
  return new Map(rows.map((row) => [row.id, `${row.node} ${row.epoch}`]));
};
/** How long until each of them has taken two more additions. */
const takenByAll = async (these: readonly string[] = ids): Promise<number> => {
  const fromMs = performance.now();
  const before = new Map(adders.acknowledged);
  await eventually('every agent takes additions', HEAL_MS, () =>
    these.every((id) => (adders.acknowledged.get(id) ?? 0) > (before.get(id) ?? 0) + 1),
  );
  return Math.round(performance.now() - fromMs);
};
const status = async (node: string) => {
  const answer = await live.client.ask(`ctl.${node}`, { type: 'status' }, { timeoutMs: 1_000 });
  return answer.ok ? (answer.reply as { readonly state: string; readonly suspended: boolean }) : undefined;
};
const allRun = async (): Promise<boolean> =>
  (await Promise.all(live.nodes.map(status))).every((each) => each?.state === 'running' && !each.suspended);

test('C1, C2, C5: a node asleep for three times its lease loses its agents, does nothing when it wakes, exits 75 and is started again', async () => {
  await takenByAll();
  const before = await places();
  const theirs = ids.filter((id) => before.get(id)?.startsWith('n2 '));
  const pid = live.pid('n2');
  const from = live.events.length;
  const fromMs = performance.now();
  live.signal('n2', 'SIGSTOP');
  const lostMs = await takenByAll(theirs);
  expect(lostMs).toBeLessThan(LOST_MS);
  await pause(ASLEEP_MS - (performance.now() - fromMs));
  const moved = await places();
  send(pid, 'SIGCONT');
  expect(await live.heard('exited', 'n2', from)).toMatchObject({ pid, code: 75 });
  const exitMs = Math.round(performance.now() - fromMs - ASLEEP_MS);
  await live.heard('ready', 'n2', from);
  await takenByAll();
  // What it had done or sent after waking would be an addition twice, or an epoch that fell.
  expect(adders.violations).toEqual([]);
  for (const id of theirs) {
    const epoch = (place?: string): number => Number(place?.split(' ')[1]);
    expect(moved.get(id)).not.toMatch(/^n2 /);
    expect(epoch(moved.get(id))).toBeGreaterThan(epoch(before.get(id)));
    expect(epoch((await places()).get(id))).toBeGreaterThanOrEqual(epoch(moved.get(id)));
  }
  report(
    `SIGSTOP for ${ASLEEP_MS} ms: its ${theirs.length} agents take additions after ${lostMs} ms, it exits 75 ${exitMs} ms after SIGCONT`,
  );
});

test('C6: two of three nats-servers asleep for 20 s: asks are refused, nothing moves, and after the heal every node runs within the stated time', async () => {
  await spawned(settled);
  const before = await places(settled);
  const pids = live.nodes.map((node) => live.pid(node));
  const asleep = live.servers.servers.slice(1);
  const fromMs = performance.now();
  for (const server of asleep) server.pause();
  await eventually('every node is suspended', 2 * WITHOUT_QUORUM_MS, async () =>
    (await Promise.all(live.nodes.map(status))).every((each) => each?.suspended === true),
  );
  const refused = await Promise.all(ids.map((id) => live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 10_000 })));
  // A node says `unavailable`; where none hears the subject any more, the stranger's own client says that.
  for (const answer of refused)
    expect(answer).toMatchObject({ ok: false, error: { code: expect.stringMatching(/^(unavailable|no-responders)$/), definite: true } });
  await pause(WITHOUT_QUORUM_MS - (performance.now() - fromMs));
  const healedMs = performance.now();
  for (const server of asleep) server.resume();
  await eventually('every node runs', HEAL_MS, allRun);
  const runMs = Math.round(performance.now() - healedMs);
  await takenByAll();
  const takeMs = Math.round(performance.now() - healedMs);
  report(
    `two of three nats-servers asleep for ${WITHOUT_QUORUM_MS} ms: every node runs ${runMs} ms after the heal, additions after ${takeMs} ms`,
  );
  expect(runMs).toBeLessThan(HEALED_MS);
  expect(takeMs).toBeLessThan(HEALED_MS);
  expect(await places(settled)).toEqual(before);
  expect(live.nodes.map((node) => live.pid(node))).toEqual(pids);
  await adders.stop();
  expect(adders.violations).toEqual([]);
  for (const id of ids)
    expect(await granted(() => live.client.ask(`agent.counter.${id}`, { type: 'get' }))).toEqual({
      ok: true,
      reply: { value: adders.acknowledged.get(id) },
    });
});
