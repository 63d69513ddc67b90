import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import type { Restart } from '../../src/cluster/place.ts';
import { calmCluster } from '../simulation/cluster.ts';

const job = defineAgent({
  type: 'job',
  version: 1,
  commands: {
    add: command({}, { reply: z.object({ value: z.int() }) }),
    get: command({}, { reply: z.object({ value: z.int() }) }),
    end: command({}),
    fail: command({}),
  },
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
}).handle({
  add: ({ state }) => ({ state: { value: state.value + 1 }, reply: { value: state.value + 1 } }),
  get: ({ state }) => ({ reply: state }),
  end: () => ({ next: 'stop' }),
  fail: () => {
    throw new Error('it cannot');
  },
});
type Cluster = Awaited<ReturnType<typeof calmCluster>>;
type Happening = (cluster: Cluster) => Promise<unknown>;
const NODES = ['n1', 'n2', 'n3'] as const;

const fail = async ({ world, asking }: Cluster, times: number): Promise<void> => {
  for (let crash = 0; crash < times; crash++) {
    await world.until(asking('n2', 'job/a', { type: 'fail' }).done);
    await world.run(1_000);
  }
};
const again = async ({ world }: Cluster): Promise<void> => {
  for (const name of NODES) await world.until(world.start(name));
};
/** What may happen to it on n1, by the rows of the table in docs/agents.md. */
const HAPPENINGS = {
  "it says `next: 'stop'`": ({ ask }) => ask('n2', 'job/a', { type: 'end' }),
  'an operator stops it': ({ world, member }) => world.until(member('n2').agents.stop('job', 'a', { forget: false, timeoutMs: 5_000 })),
  'it crashes': (cluster) => fail(cluster, 1),
  'it crashes past its intensity': (cluster) => fail(cluster, 8),
  'its node crashes': async ({ world }) => world.crash('n1', 10),
  'its node is silently lost': async ({ world }) => world.crash('n1'),
  'its node is drained': ({ world, member }) => world.until(member('n1').cluster.drain({ timeoutMs: 5_000 })),
  'its node stops': ({ world }) => world.until(world.leave('n1')),
  'all nodes are killed and started again': async (cluster) => {
    for (const name of NODES) cluster.world.crash(name, 10);
    await cluster.world.run(2_000);
    await again(cluster);
  },
  'all nodes stop and are started again': async (cluster) => {
    for (const name of NODES) await cluster.world.until(cluster.world.leave(name));
    await again(cluster);
  },
} as const satisfies Readonly<Record<string, Happening>>;

type Fate = 'running' | 'stopped' | 'quarantined';
const TABLE: Readonly<Record<keyof typeof HAPPENINGS, Readonly<Record<Restart, Fate>>>> = {
  "it says `next: 'stop'`": { permanent: 'stopped', transient: 'stopped', temporary: 'stopped' },
  'an operator stops it': { permanent: 'stopped', transient: 'stopped', temporary: 'stopped' },
  'it crashes': { permanent: 'running', transient: 'running', temporary: 'stopped' },
  'it crashes past its intensity': { permanent: 'quarantined', transient: 'quarantined', temporary: 'stopped' },
  'its node crashes': { permanent: 'running', transient: 'running', temporary: 'stopped' },
  'its node is silently lost': { permanent: 'running', transient: 'running', temporary: 'stopped' },
  'its node is drained': { permanent: 'running', transient: 'running', temporary: 'running' },
  'its node stops': { permanent: 'running', transient: 'running', temporary: 'running' },
  'all nodes are killed and started again': { permanent: 'running', transient: 'running', temporary: 'stopped' },
  'all nodes stop and are started again': { permanent: 'running', transient: 'running', temporary: 'running' },
};
const cells = Object.entries(TABLE).flatMap(([happening, fates]) =>
  Object.entries(fates).map(([kind, fate]) => [kind as Restart, fate, happening as keyof typeof HAPPENINGS] as const),
);

const rowOf = async ({ world, member }: Cluster) =>
  (await world.until(member('n2').agents.list({ type: 'job', id: 'a', limit: 1 }))).agents[0];

describe('L6: who returns', () => {
  test.each(cells)('a %s agent is %s after this: %s', async (kind, fate, happening) => {
    await using cluster = await calmCluster({ agents: [job], relaunches: false });
    const { world, ask } = cluster;
    await cluster.spawn('job', 'a', 'n1', { restart: kind });
    await ask('n2', 'job/a', { type: 'add' });
    await (HAPPENINGS[happening] as Happening)(cluster);
    await world.run(12_000);
    expect(await rowOf(cluster)).toMatchObject({ state: fate, node: fate === 'running' ? expect.any(String) : null });
    if (fate === 'running') expect(await ask('n2', 'job/a', { type: 'get' })).toEqual({ value: 1 });
  });

  test.each(['permanent', 'transient', 'temporary'] as const)(
    'a %s agent that stopped by itself stays stopped through a lost node, a drain and a cold start, until it is spawned again',
    async (kind) => {
      await using cluster = await calmCluster({ agents: [job], relaunches: false });
      const { world, ask } = cluster;
      await cluster.spawn('job', 'a', 'n1', { restart: kind });
      await ask('n2', 'job/a', { type: 'add' });
      for (const happening of [
        "it says `next: 'stop'`",
        'its node is drained',
        'its node crashes',
        'all nodes are killed and started again',
      ] as const) {
        await (HAPPENINGS[happening] as Happening)(cluster);
        await world.run(12_000);
        expect(await rowOf(cluster), happening).toMatchObject({ state: 'stopped', node: null });
      }
      expect(await cluster.spawn('job', 'a', 'n3', { restart: kind })).toMatchObject({ created: true, node: 'n3' });
      expect(await ask('n2', 'job/a', { type: 'get' })).toEqual({ value: 1 });
    },
  );
});
