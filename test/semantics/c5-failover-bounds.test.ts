import { describe, expect, test } from 'vitest';
import { calmCluster } from '../simulation/cluster.ts';

/** docs/operations.md. */
const CRASH_SEEN_MS = 2_000;
const SILENT_LOSS_MS = 10_000;

type Cluster = Awaited<ReturnType<typeof calmCluster>>;
const AGENTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

async function counters(cluster: Cluster): Promise<void> {
  for (const id of AGENTS) {
    await cluster.spawn('counter', id, 'n1');
    expect(await cluster.ask('n2', `counter/${id}`, { type: 'add', by: 7 })).toEqual({ value: 7 });
  }
}
/** How long until each of them has answered, asked anew whenever there is no answer. */
async function answersAgain(cluster: Cluster): Promise<number> {
  const { world } = cluster;
  const sinceMs = world.clock.monotonicMs();
  for (const id of AGENTS) {
    for (;;) {
      const asked = cluster.asking('n2', `counter/${id}`, { type: 'get' }, { timeoutMs: 1_000 });
      await world.until(asked.done);
      if (asked.came !== undefined && 'reply' in asked.came) {
        expect(asked.came.reply).toEqual({ value: 7 });
        break;
      }
      expect(world.clock.monotonicMs() - sinceMs).toBeLessThan(60_000);
      await world.run(50);
    }
  }
  return world.clock.monotonicMs() - sinceMs;
}

describe('C5: agents of a lost node answer elsewhere within the bounds', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    test(`a crash that the launcher sees: within 2 s (seed ${seed})`, async () => {
      await using cluster = await calmCluster({ seed });
      await counters(cluster);
      cluster.world.crash('n1', 20);
      expect(await answersAgain(cluster)).toBeLessThan(CRASH_SEEN_MS);
      expect(new Set(AGENTS.flatMap((id) => cluster.acting(`counter.${id}`)))).not.toContain('n1');
    });

    test(`a silent loss with a healthy store: within 10 s (seed ${seed})`, async () => {
      await using cluster = await calmCluster({ seed });
      await counters(cluster);
      cluster.world.network.faults.isolate('n1');
      expect(await answersAgain(cluster)).toBeLessThan(SILENT_LOSS_MS);
    });

    test(`an election of the store costs a pause and moves nothing (seed ${seed})`, async () => {
      await using cluster = await calmCluster({ seed });
      await counters(cluster);
      const { world } = cluster;
      const before = cluster.activated.length;
      const incarnations = [...world.nodes.values()].map((node) => node.incarnation);
      world.network.faults.election(9_000);
      await world.run(9_000);
      expect(await answersAgain(cluster)).toBeLessThan(3_000);
      await world.run(20_000);
      expect(cluster.activated.length).toBe(before);
      expect([...world.nodes.values()].map((node) => node.incarnation)).toEqual(incarnations);
    });
  }

  test('agents of the other nodes are not moved by the loss of one', async () => {
    await using cluster = await calmCluster();
    await counters(cluster);
    await cluster.spawn('counter', 'other', 'n3');
    cluster.world.crash('n1', 20);
    await cluster.world.run(15_000);
    expect(cluster.activated.filter(({ agent }) => agent === 'counter/other')).toHaveLength(1);
  });
});
