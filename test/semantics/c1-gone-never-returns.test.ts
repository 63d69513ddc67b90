import { describe, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { declareGone } from '../../src/cluster/join.ts';
import { calmCluster } from '../simulation/cluster.ts';

describe('C1: a node incarnation that was declared gone never comes back', () => {
  test('when a paused process next reaches the store it is over, and its launcher starts a new incarnation', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    const before = world.nodes.get('n1')?.incarnation ?? 0;
    await cluster.spawn('counter', 'a', 'n1');
    world.pause('n1');
    await world.run(9_000);
    expect(cluster.seenBy('n2', 'n1')).toBe('gone');
    expect(cluster.acting('counter.a')).toEqual([cluster.activated.at(-1)?.node]);
    expect(cluster.activated.at(-1)?.node).not.toBe('n1');
    const old = cluster.member('n1');
    world.resume('n1');
    await world.run(3_000);
    expect(cluster.over).toEqual([`n1.${before} declared-gone`]);
    expect(old.cluster.state).toBe('gone');
    expect(old.cluster.locals.acts('counter.a')).toBe(false);
    expect(world.nodes.get('n1')?.incarnation).toBeGreaterThan(before);
    expect(cluster.seenBy('n2', 'n1')).toBe('up');
  });

  test('a running process that its launcher wrongly declared gone is over within a second', async () => {
    await using cluster = await calmCluster({ relaunches: false });
    const { world } = cluster;
    const incarnation = world.nodes.get('n2')?.incarnation ?? 0;
    const members = cluster.store('MEMBERS');
    await world.until(
      declareGone({ members, codec: createCodec(), clock: world.clock, times: world.times }, 'n2', incarnation, {
        timeoutMs: 5_000,
        cause: 'crash',
      }),
    );
    await world.run(1_000);
    expect(cluster.over).toEqual([`n2.${incarnation} declared-gone`]);
  });

  test('a process that has not renewed for 60 s is over, and one that reaches the store again before that is not', async () => {
    await using cluster = await calmCluster({ size: 1, drift: false });
    const { world } = cluster;
    world.network.faults.cutStore('n1');
    await world.run(58_000);
    expect(cluster.over).toEqual([]);
    world.network.faults.heal('n1');
    await world.run(2_000);
    expect(cluster.member('n1').cluster.suspended).toBe(false);
    world.network.faults.cutStore('n1');
    await world.run(61_500);
    expect(cluster.over).toEqual([expect.stringContaining('not-renewed')]);
  });

  test('a jump of the wall clock suspends it for a moment and ends nothing', async () => {
    await using cluster = await calmCluster({ drift: false });
    const { world } = cluster;
    await cluster.spawn('counter', 'a', 'n1');
    for (const jumpMs of [3_600_000, -7_200_000]) {
      world.nodes.get('n1')?.clock.jumpWall(jumpMs);
      await world.run(3_000);
      expect(cluster.over).toEqual([]);
      expect(cluster.acting('counter.a')).toEqual(['n1']);
    }
  });
});
