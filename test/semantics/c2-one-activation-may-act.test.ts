import { describe, expect, test } from 'vitest';
import { workers } from '../simulation/agents.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** A worker on n1 and the counter that it tells on n2. */
async function workshop(options: { readonly seed?: number; readonly drift?: boolean } = {}) {
  const { agent, bench } = workers();
  const cluster = await calmCluster({ agents: [agent], relaunches: false, ...options });
  await cluster.spawn('worker', 'w', 'n1');
  await cluster.spawn('counter', 'sink', 'n2');
  const sink = (): Promise<unknown> => cluster.ask('n2', 'counter/sink', { type: 'get' });
  return { cluster, bench, sink, world: cluster.world };
}

describe('C2: a named agent has at most one activation that may act', () => {
  test('what running code sends while the lease is not held waits at the gate, and leaves when the lease is back', async () => {
    const { cluster, bench, sink, world } = await workshop({ drift: false });
    await using _ = cluster;
    const asked = cluster.asking('n1', 'worker/w', { type: 'tellTwice', first: 1, second: 10 }, { timeoutMs: 60_000 });
    await world.run(100);
    expect(await sink()).toEqual({ value: 1 });
    world.network.faults.election(8_000);
    await world.run(6_000);
    bench.go();
    await world.run(500);
    expect(bench.seen.map(({ what, owned }) => ({ what, owned }))).toEqual([
      { what: 'before', owned: true },
      { what: 'after', owned: false },
    ]);
    expect(asked.came).toBeUndefined();
    await world.run(10_000);
    expect(asked.came).toEqual({ reply: { epoch: bench.seen[0]?.epoch } });
    expect(await sink()).toEqual({ value: 11 });
    expect(bench.signals[0]?.aborted).toBe(false);
  });

  test('code that was running when its node was declared gone is told, and nothing of it leaves any more', async () => {
    const { cluster, bench, sink, world } = await workshop();
    await using _ = cluster;
    const asked = cluster.asking('n2', 'worker/w', { type: 'tellTwice', first: 1, second: 10 }, { timeoutMs: 60_000 });
    await world.run(100);
    world.network.faults.isolate('n1');
    await world.run(9_000);
    expect(cluster.acting('worker.w')).toEqual([cluster.activated.at(-1)?.node]);
    expect(cluster.activated.at(-1)).toMatchObject({ agent: 'worker/w' });
    bench.go();
    await world.run(100);
    expect(bench.seen.at(-1)).toMatchObject({ what: 'after', owned: false });
    world.network.faults.heal('n1');
    await world.run(5_000);
    expect(cluster.over).toEqual([expect.stringMatching(/^n1\.\d+ declared-gone$/)]);
    expect(bench.signals[0]?.aborted).toBe(true);
    expect(await sink()).toEqual({ value: 1 });
    expect(asked.came).toMatchObject({ error: { definite: false } });
  });

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`at no instant two nodes may act for it, through a loss, with clock rates 8 % apart (seed ${seed})`, async () => {
      const { cluster, world } = await workshop({ seed, drift: false });
      await using _ = cluster;
      const slow = seed % 2 === 0;
      world.nodes.get('n1')?.clock.setRate(slow ? 0.96 : 1.04);
      for (const name of ['n2', 'n3']) world.nodes.get(name)?.clock.setRate(slow ? 1.04 : 0.96);
      await world.run(3_000 + seed * 137);
      if (seed % 3 === 0) world.pause('n1');
      else if (seed % 3 === 1) world.network.faults.isolate('n1');
      else world.network.faults.cutStore('n1');
      const owners: string[] = [];
      for (let step = 0; step < 500; step++) {
        await world.run(25);
        const acting = cluster.acting('worker.w');
        expect(acting.length).toBeLessThanOrEqual(1);
        if (acting[0] !== undefined && owners.at(-1) !== acting[0]) owners.push(acting[0]);
      }
      // After the loss the two may even out what they carry.
      expect(owners.slice(0, 2)).toEqual(['n1', expect.stringMatching(/^n[23]$/)]);
    });
  }

  test('no turn is taken while the lease is not held, and all of them when it is back', async () => {
    const { cluster, bench, world } = await workshop({ drift: false });
    await using _ = cluster;
    const held = cluster.asking('n1', 'worker/w', { type: 'hold' }, { timeoutMs: 60_000 });
    await world.run(50);
    const waits = cluster.asking('n1', 'worker/w', { type: 'epoch' }, { timeoutMs: 60_000 });
    world.network.faults.election(8_000);
    await world.run(6_000);
    bench.go();
    await world.run(1_000);
    expect([held.came, waits.came]).toEqual([undefined, undefined]);
    await world.run(10_000);
    expect(held.came).toHaveProperty('reply');
    expect(waits.came).toHaveProperty('reply');
  });
});
