import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Act } from '../../../chaos/act.ts';
import type { Tier } from '../../../chaos/plan.ts';
import type { Link } from '../../../chaos/world.ts';
import { chooseTier } from '../../../chaos/worlds/processes/net/choose-tier.ts';
import { openProcesses } from '../../../chaos/worlds/processes/open.ts';
import { isAlive, isStopped, marked } from '../../../chaos/worlds/processes/proc.ts';
import { MARK } from '../../../chaos/worlds/processes/stage/orders.ts';
import type { ProcessWorld } from '../../../chaos/worlds/processes/world.ts';
import { readMonitor } from '../../../src/nats-server/monitor.ts';
import { eventually, report } from '../../live/support.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const TIERS: readonly Tier[] = ['namespaces', 'sudo', 'proxies'];
const lacking = new Map<Tier, string>();
for (const tier of TIERS) await chooseTier({ env: process.env }, tier).catch((error: Error) => void lacking.set(tier, error.message));

test.each([...lacking])('tier %s is not tested here: %s', () => {});

describe.each(TIERS.filter((tier) => !lacking.has(tier)))('the world of processes, tier %s', (tier) => {
  let world: ProcessWorld;
  let link: Link;
  beforeAll(async () => {
    const sinceMs = performance.now();
    world = await openProcesses({ seed: 1, nodes: 3, servers: 3, tier });
    report(`tier ${tier}: 3 servers and 3 nodes after ${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`);
    link = await world.link('test', 1);
  });
  afterAll(async () => {
    expect(await world?.close()).toEqual([]);
  });

  const act = (wanted: Act) => world.act(wanted);
  /** As this machine shows them, whatever numbers they have where they run. */
  const pids = (place: string) => {
    const all = marked(MARK, world.mark);
    const find = (text: string) => all.find(({ command }) => command.includes(text))?.pid ?? Number.NaN;
    const own = marked(MARK, `${world.mark}/${place}`).find(({ command }) => command.includes('worker.js'))?.pid;
    return { own: own ?? find(`/${place}/server.conf`), launcher: find(`--name ${place} `) };
  };
  const allUp = (...nodes: string[]) => world.untilAllSeen(nodes, 60_000);
  /** As the others tell. */
  const rowOf = async (node: string) => {
    const rows = (await link.client.cluster.nodes().catch(() => [])) as readonly {
      readonly node: string;
      readonly state: string;
      readonly incarnation: number;
    }[];
    return rows.find((row) => row.node === node);
  };

  test('says what takes part, and where everything is', async () => {
    expect(world).toMatchObject({ kind: 'processes', tier, nodes: ['n1', 'n2', 'n3'], servers: ['s1', 's2', 's3'], exits: [] });
    expect(world.versions).toMatchObject({ 'nats-server': expect.stringMatching(/^2\./), kernel: expect.any(String) });
    expect(world.servers).toContain(await eventually('somebody leads', 30_000, () => world.leader()));
  });

  test('a killed node is started again by its launcher, with word of its end', async () => {
    const before = pids('n1');
    await act({ act: 'kill-node', node: 'n1', silent: false });
    expect(isAlive(before.own)).toBe(false);
    expect(world.exits.at(-1)).toMatchObject({ place: 'n1', code: null, signal: 'SIGKILL' });
    await allUp('n1', 'n2', 'n3');
    const after = pids('n1');
    expect(after.launcher).toBe(before.launcher);
    expect(after.own).not.toBe(before.own);
  });

  test('one that is killed silently takes its launcher along, and stays down until it is started', async () => {
    const before = pids('n2');
    const from = world.exits.length;
    await act({ act: 'kill-node', node: 'n2', silent: true });
    expect([isAlive(before.own), isAlive(before.launcher)]).toEqual([false, false]);
    expect(world.exits.slice(from).map(({ place, launcher, signal }) => ({ place, launcher, signal }))).toEqual(
      expect.arrayContaining([
        { place: 'n2', launcher: true, signal: 'SIGKILL' },
        { place: 'n2', launcher: undefined, signal: 'SIGKILL' },
      ]),
    );
    await act({ act: 'kill-node', node: 'n2', silent: true });
    await act({ act: 'start-node', node: 'n2' });
    await allUp('n1', 'n2', 'n3');
  });

  test('a node that is stopped has left; a new one joins', async () => {
    const before = pids('n3');
    await act({ act: 'stop-node', node: 'n3' });
    expect([isAlive(before.own), isAlive(before.launcher)]).toEqual([false, false]);
    expect(world.exits.at(-1)).toMatchObject({ place: 'n3', launcher: true, code: 0, signal: null });
    await eventually('the others know that it is gone', 30_000, async () => (await rowOf('n3'))?.state !== 'running');
    await act({ act: 'start-node', node: 'n4' });
    await act({ act: 'start-node', node: 'n3' });
    expect(world.nodes).toEqual(['n1', 'n2', 'n3', 'n4']);
    await allUp('n1', 'n2', 'n3', 'n4');
  });

  test('a paused node stands still, and goes on', async () => {
    await act({ act: 'pause-node', node: 'n1', launcher: false });
    const { own, launcher } = pids('n1');
    await eventually('it stands still', 20_000, () => isStopped(own) && !isStopped(launcher));
    await act({ act: 'resume-node', node: 'n1' });
    await eventually('it goes on', 20_000, () => !isStopped(own));
    await act({ act: 'pause-node', node: 'n1', launcher: true });
    await eventually('both stand still', 20_000, () => isStopped(own) && isStopped(launcher));
    await act({ act: 'heal' });
    await eventually('both go on', 20_000, () => !isStopped(own) && !isStopped(launcher));
    await allUp('n1', 'n2', 'n3', 'n4');
  });

  test('a server that leads is killed: another leads, and it comes back on its old state', async () => {
    const leader = await eventually('somebody leads', 30_000, () => world.leader());
    const { own } = pids(leader);
    await act({ act: 'kill-server', server: leader });
    expect(isAlive(own)).toBe(false);
    const next = await eventually('another leads', 30_000, async () => {
      const now = await world.leader();
      return now !== leader && now;
    });
    await act({ act: 'start-server', server: leader });
    await act({ act: 'start-server', server: leader });
    expect(world.servers).toContain(next);
    await allUp('n1', 'n2', 'n3', 'n4');
    // Our own connection may have to find another server first.
    await eventually('a client is answered', 30_000, () => link.client.cluster.types().catch(() => undefined));
  });

  test('a server that is stopped hands over first; one that is paused stands still', async () => {
    const leader = await eventually('somebody leads', 30_000, () => world.leader());
    const from = world.exits.length;
    await act({ act: 'stop-server', server: leader });
    expect(world.exits.slice(from).filter(({ place }) => place === leader)).toMatchObject([{ code: 0, signal: null }]);
    await act({ act: 'start-server', server: leader });
    await act({ act: 'pause-server', server: 's2' });
    const { own } = pids('s2');
    await eventually('it stands still', 20_000, () => isStopped(own));
    await act({ act: 'resume-server', server: 's2' });
    await eventually('it goes on', 20_000, () => !isStopped(own));
    await allUp('n1', 'n2', 'n3', 'n4');
  });

  test('a server that is cut from its peers has no way around, and meets them again', async () => {
    const peersOf = async (index: number) => {
      const target = world.readyTargets[index];
      const { routes } = (await readMonitor('/routez', { host: target?.host ?? '', port: target?.monitorPort ?? 0 }, 2_000)) as {
        readonly routes: readonly { readonly remote_name: string }[];
      };
      return new Set(routes.map(({ remote_name }) => remote_name)).size;
    };
    // One that has just come back may not answer yet.
    const all = () => Promise.all([0, 1, 2].map((index) => peersOf(index).catch(() => Number.NaN)));
    await eventually('all have met', 60_000, async () => (await all()).join() === '2,2,2');
    for (const peer of ['s2', 's3'])
      for (const [from, to] of [
        ['s1', peer],
        [peer, 's1'],
      ] as const)
        await act({ act: 'cut', from, to });
    await eventually('it is alone', 60_000, async () => (await all()).join() === '0,1,1');
    await act({ act: 'heal' });
    await eventually('all have met again', 60_000, async () => (await all()).join() === '2,2,2');
  });

  test('places that there are not, and what cannot be done, are refused', async () => {
    for (const wanted of [
      { act: 'kill-node', node: 'n9', silent: true },
      { act: 'kill-node', node: 's1', silent: true },
      { act: 'start-node', node: 's1' },
      { act: 'start-node', node: '../x' },
      { act: 'kill-server', server: 'n1' },
    ] as const)
      await expect(act(wanted)).rejects.toMatchObject({ code: 'invalid-message' });
    expect(world.cannot('election')).toEqual(expect.any(String));
    expect(world.cannot('kill-node')).toBeUndefined();
    await expect(act({ act: 'election', ms: 5 })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('addresses of servers stand in no command line', async () => {
    const { launcher } = pids('n1');
    expect(readFileSync(`/proc/${launcher}/cmdline`, 'utf8')).toContain('n1');
    expect(readFileSync(`/proc/${launcher}/cmdline`, 'utf8')).not.toContain('nats://');
  });
});
