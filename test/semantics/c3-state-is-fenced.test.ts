import { describe, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { decodeState, type StateRecord } from '../../src/durable/fenced-state.ts';
import { workers } from '../simulation/agents.ts';
import { calmCluster } from '../simulation/cluster.ts';

type Cluster = Awaited<ReturnType<typeof calmCluster>>;
async function stored(cluster: Cluster, key: string): Promise<StateRecord> {
  const found = await cluster.world.until(cluster.store('STATE').get(key, { timeoutMs: 1_000 }));
  if (found === undefined) throw new Error(`nothing is stored under ${key}`);
  return decodeState(found.value, createCodec(), key);
}

describe('C3: every durable write carries its epoch, and the store refuses an older one', () => {
  test('the epoch of a record is the one that its handler is shown, and rises with every owner', async () => {
    const { agent, bench } = workers();
    await using cluster = await calmCluster({ agents: [agent] });
    const { world } = cluster;
    const { epoch } = await cluster.spawn('worker', 'w', 'n1');
    expect(await cluster.ask('n2', 'worker/w', { type: 'epoch' })).toEqual({ epoch });
    expect((await stored(cluster, 'worker.w')).epoch).toBe(epoch);
    world.crash('n1', 10);
    await world.run(2_000);
    const later = (await cluster.ask('n2', 'worker/w', { type: 'epoch' })) as { readonly epoch: number };
    expect(later.epoch).toBeGreaterThan(epoch);
    expect((await stored(cluster, 'worker.w')).epoch).toBe(later.epoch);
    expect(bench.seen).toEqual([]);
  });

  test('a write that was begun before the agent moved is refused, whatever its owner believed of the time', async () => {
    const { agent, bench } = workers();
    // Of all guards only the fence: this owner takes its lease to last for ever.
    const lasting = { ttlMs: 1e9, margin: 0.1, overMs: 1e9 };
    let outcomes: string[] = [];
    const cluster = await calmCluster({
      agents: [agent],
      timesOf: (name) => (name === 'n1' ? { ...DEFAULT_TIMES, ...lasting } : DEFAULT_TIMES),
      wrap: (name, { transport, stores }) => ({
        transport,
        stores: {
          ...stores,
          kv: (store) => {
            const kv = stores.kv(store);
            if (name !== 'n1' || !store.endsWith('STATE')) return kv;
            return {
              ...kv,
              update: async (key, value, revision, options) => {
                const outcome = await kv.update(key, value, revision, options);
                outcomes.push(outcome.written);
                return outcome;
              },
            };
          },
        },
      }),
    });
    await using _ = cluster;
    const { world } = cluster;
    await cluster.spawn('worker', 'w', 'n1');
    const asked = cluster.asking('n2', 'worker/w', { type: 'hold' }, { timeoutMs: 60_000 });
    await world.run(100);
    world.network.faults.cutStore('n1');
    await world.run(9_000);
    const epoch = cluster.activated.at(-1)?.epoch;
    expect(cluster.activated.at(-1)).toMatchObject({ agent: 'worker/w', node: expect.stringMatching(/^n[23]$/) });
    outcomes = [];
    bench.go();
    await world.run(200);
    world.network.faults.heal('n1');
    await world.run(5_000);
    expect(outcomes).not.toContain('yes');
    expect(asked.came).toMatchObject({ error: { definite: false } });
    expect(await stored(cluster, 'worker.w')).toMatchObject({ epoch, state: { done: 0 } });
  });
});
