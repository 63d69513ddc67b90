import { describe, expect, test } from 'vitest';
import { workers } from '../simulation/agents.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** docs/operations.md: a shorter outage, and one that ends the incarnations. */
const AFTER_A_PAUSE_MS = 15_000;
const AFTER_RESTARTS_MS = 60_000;

describe('C6: without a quorum the exclusive agents suspend, and nothing acknowledged is lost', () => {
  test('a suspended node refuses new asks at once, definitely; what it had accepted waits and is answered', async () => {
    const { agent, bench } = workers();
    await using cluster = await calmCluster({ agents: [agent], drift: false });
    const { world } = cluster;
    await cluster.spawn('worker', 'w', 'n1');
    await cluster.spawn('counter', 'c', 'n1');
    expect(await cluster.ask('n2', 'counter/c', { type: 'add', by: 5 })).toEqual({ value: 5 });
    const held = cluster.asking('n2', 'worker/w', { type: 'hold' }, { timeoutMs: 60_000 });
    await world.run(50);
    const accepted = cluster.asking('n2', 'worker/w', { type: 'epoch' }, { timeoutMs: 60_000 });
    await world.run(50);
    world.network.faults.election(20_000);
    await world.run(6_000);
    expect(world.nodes.get('n1')?.member?.cluster.suspended).toBe(true);
    for (const from of ['n1', 'n2', 'n3']) {
      for (const agent of ['counter/c', 'worker/w']) {
        const refused = cluster.asking(from, agent, { type: 'get' }, { timeoutMs: 30_000 });
        await world.run(100);
        expect(refused.came).toMatchObject({ error: { code: 'unavailable', definite: true, retryable: true } });
        expect(refused.tookMs).toBeLessThan(100);
      }
    }
    bench.go();
    await world.run(13_900);
    expect([held.came, accepted.came]).toEqual([undefined, undefined]);
    await world.run(AFTER_A_PAUSE_MS);
    expect(held.came).toHaveProperty('reply');
    expect(accepted.came).toHaveProperty('reply');
    expect(await cluster.ask('n3', 'counter/c', { type: 'get' })).toEqual({ value: 5 });
    expect(cluster.over).toEqual([]);
    expect(cluster.activated).toHaveLength(2);
  });

  for (const [outageMs, recoveredMs] of [
    [12_000, AFTER_A_PAUSE_MS],
    [50_000, AFTER_A_PAUSE_MS],
    [90_000, AFTER_RESTARTS_MS],
  ] as const) {
    test(`after an outage of ${outageMs / 1_000} s every node runs again, or was over and restarted, and agents have their state`, async () => {
      await using cluster = await calmCluster();
      const { world } = cluster;
      const before = new Map([...world.nodes.values()].map(({ name, incarnation }) => [name, incarnation]));
      for (const [index, id] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
        await cluster.spawn('counter', id, `n${1 + (index % 3)}`);
        await cluster.ask('n1', `counter/${id}`, { type: 'add', by: index + 1 });
      }
      world.network.faults.election(outageMs);
      await world.run(outageMs + recoveredMs);
      for (const node of world.nodes.values()) {
        expect(node.alive && node.member?.cluster.state).toBe('up');
        expect(node.member?.cluster.suspended).toBe(false);
        if (outageMs < 60_000) expect(node.incarnation).toBe(before.get(node.name));
        else expect(node.incarnation).toBeGreaterThan(before.get(node.name) ?? 0);
      }
      for (const [index, id] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
        expect(await cluster.ask('n2', `counter/${id}`, { type: 'get' })).toEqual({ value: index + 1 });
      }
    });
  }
});
