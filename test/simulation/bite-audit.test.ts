import { describe, expect, test } from 'vitest';
import { epochs } from '../../chaos/checkers/epochs.ts';
import { decodeState, encodeState } from '../../src/durable/fenced-state.ts';
import type { FaultSettings, MemoryConnection } from '../../src/memory/network.ts';
import { auditStores } from '../../supervisors/audit.ts';
import type { SimWorld } from '../../supervisors/testkit/world.ts';
import { codec, forced, kvBroken } from './bite.ts';
import { calmCluster } from './cluster.ts';
import { ledgers } from './event-ledgers.ts';

const WATCHES_BREAK: FaultSettings = { store: { watchReset: 0.2, watchDelayMs: [1, 400] } };

/** A counter and a journal on n1, followed from outside; what n1 was about to write when it was cut off comes after its successor. */
async function audited(
  options: { readonly wrap?: (name: string, connection: MemoryConnection, world: SimWorld) => MemoryConnection } = {},
) {
  let simulated: SimWorld | undefined;
  const cluster = await calmCluster({
    ...{ faults: WATCHES_BREAK, agents: [ledgers().agent] },
    wrap: (name, connection) => (simulated === undefined ? connection : (options.wrap?.(name, connection, simulated) ?? connection)),
    before: async (world) => {
      simulated = world;
    },
  });
  await using _ = cluster;
  const { world } = cluster;
  const audit = auditStores({ stores: world.network.connect('auditor').stores, cluster: world.subjects.cluster, clock: world.clock });
  await cluster.spawn('counter', 'a', 'n1');
  await cluster.spawn('ledger', 'l', 'n1');
  const added = async (agent: string, message: object): Promise<unknown> => {
    for (let tries = 1; ; tries++) {
      try {
        return await cluster.ask('n2', agent, message);
      } catch (error) {
        if (tries === 10) throw error;
        await world.run(1_000);
      }
    }
  };
  await added('counter/a', { type: 'add', by: 1 });
  await added('ledger/l', { type: 'add', item: 'x' });
  world.network.faults.isolate('n1');
  cluster.asking('n1', 'counter/a', { type: 'add', by: 1 });
  await world.run(20_000);
  await added('counter/a', { type: 'add', by: 1 });
  await added('ledger/l', { type: 'add', item: 'y' });
  world.network.faults.heal();
  world.election(5_000);
  world.network.faults.isolate('auditor');
  await world.run(8_000);
  world.network.faults.heal();
  await world.run(3_000);
  await world.until(audit.finish({ timeoutMs: 10_000 }));
  audit.close();
  return { records: audit.records(), doubts: audit.doubts };
}

describe('the records of the store, followed from outside while watches break, the store elects and the auditor is cut off', () => {
  test('are in order, each with the node that wrote it, and end with what is there', async () => {
    const { records, doubts } = await audited();
    expect(doubts).toEqual([]);
    expect(epochs(records)).toEqual({ verdict: 'ok' });
    const owners = records.filter(({ log, by }) => log === 'AGENTS' && by !== undefined);
    const counters = owners.filter(({ agent }) => agent === 'counter/a');
    expect(counters.map(({ by, cause }) => [by?.split('.')[0], cause])).toEqual([
      ['n1', 'spawn'],
      [expect.not.stringMatching('n1'), 'lease'],
    ]);
    for (const agent of ['counter/a', 'ledger/l']) {
      const last = records.filter((each) => each.agent === agent && each.log !== 'AGENTS').at(-1);
      expect(last?.epoch).toBe(owners.filter((each) => each.agent === agent).at(-1)?.epoch);
      expect(last?.by).toBe(owners.filter((each) => each.agent === agent).at(-1)?.by);
    }
  });

  test('show a stale write that is stored over whatever is there', async () => {
    // What n1 could not write is written by its connection of old, long after, whatever is there by then.
    const { records } = await audited({
      wrap: (name, connection, world) =>
        kvBroken('STATE', (kv) => ({
          ...kv,
          update: async (key, value, revision, options) => {
            const outcome = await kv.update(key, value, revision, options);
            const straggler = world.network.connect('straggler').stores.kv(world.subjects.store('STATE'));
            if (name === 'n1' && outcome.written !== 'yes') world.clock.after(25_000, () => void forced(straggler, key, value, options));
            return outcome;
          },
        }))(name, connection, world.clock),
    });
    const { verdict, ...found } = epochs(records);
    expect(verdict).toBe('bad');
    expect(JSON.stringify(found)).toMatch(/counter\/a: state \d+ of epoch \d+ by n1\.\d+ after state \d+ of epoch \d+ by n[23]/);
  });

  test('show a store that answers with another record under a revision it had before', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    const { stores } = world.network.connect('auditor');
    let told: Parameters<ReturnType<typeof stores.kv>['watch']>[1] = () => undefined;
    const kv = (name: string) => ({
      ...stores.kv(name),
      watch: (prefix: string, listener: typeof told) => {
        if (name.endsWith('_STATE')) told = listener;
        return stores.kv(name).watch(prefix, listener);
      },
    });
    const audit = auditStores({ stores: { ...stores, kv }, cluster: world.subjects.cluster, clock: world.clock });
    await cluster.spawn('counter', 'a', 'n1');
    await world.run(1_000);
    const found = await world.until(cluster.store('STATE').get('counter.a', { timeoutMs: 1_000 }));
    if (found === undefined) throw new Error('there is no state');
    const other = encodeState({ ...decodeState(found.value, codec, 'counter.a'), recordId: 'another' }, codec);
    const change = { kind: 'put', key: 'counter.a', value: found.value, revision: found.revision } as const;
    told(change);
    expect(audit.doubts).toEqual([]);
    told({ ...change, value: other });
    told({ ...change, revision: found.revision + 1, value: new Uint8Array([1, 2, 3]) });
    audit.close();
    expect(audit.doubts).toEqual([
      expect.stringMatching(/STATE \d+ was "state 1" of counter\/a and later "state 1" of counter\/a: the store was rolled back/),
      expect.stringMatching(/STATE counter\.a at \d+: corrupt-record/),
    ]);
  });

  test('are bounded, and what does not fit is said', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    const audit = auditStores({
      ...{ stores: world.network.connect('auditor').stores, cluster: world.subjects.cluster, clock: world.clock },
      limit: 1,
    });
    await cluster.spawn('counter', 'a', 'n1');
    await world.until(audit.finish({ timeoutMs: 5_000 }));
    audit.close();
    expect(audit.records()).toHaveLength(1);
    expect(audit.doubts).toEqual(['more than 1 records were written: the rest was not looked at']);
  });
});
