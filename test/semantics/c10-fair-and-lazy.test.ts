import { describe, expect, test } from 'vitest';
import { skew } from '../../src/cluster/balance.ts';
import { calmCluster } from '../simulation/cluster.ts';

type Cluster = Awaited<ReturnType<typeof calmCluster>>;
const counts = (cluster: Cluster): Record<string, number> =>
  Object.fromEntries([...cluster.world.nodes.values()].map(({ name, member }) => [name, member?.cluster.locals.count ?? 0]));
const skewOf = (cluster: Cluster): number => skew(Object.entries(counts(cluster)).map(([node, load]) => ({ node, capacity: 1, load })));
/** Spawned wherever placing says: who names a node for an agent means it to stay there. */
const fill = async (cluster: Cluster, agents: number): Promise<void> => {
  for (let index = 0; index < agents; index++)
    await cluster.world.until(cluster.member(`n${(index % 3) + 1}`).agents.spawn({ type: 'counter', id: `a${index}`, timeoutMs: 5_000 }));
  await cluster.world.run(20_000);
};

describe('C10: a new node takes a fair share of the movable agents, and nothing moves that need not', () => {
  test('a fourth node has its share within 10 % in 10 s, and no agent moved twice', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    await fill(cluster, 180);
    const before = cluster.activated.length;
    await world.until(world.start('n4'));
    await world.run(10_000);
    const share = counts(cluster).n4 ?? 0;
    expect(Math.abs(share - 45)).toBeLessThanOrEqual(4.5);
    expect(skewOf(cluster)).toBeLessThan(1.1);
    const moved = cluster.activated.slice(before).map(({ agent }) => agent);
    expect(new Set(moved).size).toBe(moved.length);
    expect(moved.length).toBe(share);
    // And then it is at rest.
    await world.run(30_000);
    expect(cluster.activated.length).toBe(before + moved.length);
  });

  test('while nothing joins or leaves, nothing moves', async () => {
    await using cluster = await calmCluster();
    await fill(cluster, 60);
    const before = cluster.activated.length;
    await cluster.world.run(60_000);
    expect(cluster.activated.length).toBe(before);
  });

  test('state goes along, and asks meanwhile are answered', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    await fill(cluster, 30);
    for (let index = 0; index < 10; index++) await cluster.ask('n2', `counter/a${index}`, { type: 'add', by: index + 1 });
    await world.until(world.start('n4'));
    const asked = [];
    for (let step = 0; step < 50; step++) {
      asked.push(cluster.asking('n3', `counter/a${step % 10}`, { type: 'get' }));
      await world.run(200);
    }
    for (const [step, { came }] of asked.entries()) expect(came, `ask ${step}`).toEqual({ reply: { value: (step % 10) + 1 } });
    expect(counts(cluster).n4).toBeGreaterThanOrEqual(6);
  });

  test('an agent that was spawned for a named node stays there', async () => {
    await using cluster = await calmCluster();
    for (let index = 0; index < 12; index++) await cluster.spawn('counter', `n${index}`, 'n1');
    await cluster.world.run(20_000);
    expect(counts(cluster)).toEqual({ n1: 12, n2: 0, n3: 0 });
  });

  test('a cordoned node, and one whose labels do not fit, are given nothing', async () => {
    await using cluster = await calmCluster({ labels: { n1: { disk: 'ssd' }, n2: { disk: 'ssd' }, n3: { disk: 'ssd' } } });
    const { world, member } = cluster;
    await world.until(member('n3').cluster.cordon(true, { timeoutMs: 5_000 }));
    await world.run(1_000);
    const placement = { labels: { disk: 'ssd' } };
    for (let index = 0; index < 12; index++)
      await world.until(member('n1').agents.spawn({ type: 'counter', id: `s${index}`, placement, timeoutMs: 5_000 }));
    await world.until(world.start('n4'));
    await world.run(10_000);
    expect(counts(cluster)).toMatchObject({ n3: 0, n4: 0 });
    await world.until(member('n3').cluster.cordon(false, { timeoutMs: 5_000 }));
    await world.run(10_000);
    // Even among those that may take them, to within what the fourth could have carried.
    const { n1 = 0, n2 = 0, n3 = 0, n4 } = counts(cluster);
    expect([n1 + n2 + n3, n4]).toEqual([12, 0]);
    for (const count of [n1, n2, n3]) expect(count).toBeGreaterThanOrEqual(3);
  });
});
