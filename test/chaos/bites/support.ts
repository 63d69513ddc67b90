import { expect } from 'vitest';
import { judge } from '../../../chaos/checkers/judge.ts';
import type { Judged } from '../../../chaos/checkers/judged.ts';
import type { Fault } from '../../../chaos/fault.ts';
import type { Plan } from '../../../chaos/plan.ts';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import type { SimulationOptions } from '../../../chaos/worlds/simulation.ts';
import type { MemoryConnection } from '../../../src/memory/network.ts';
import type { Kv, Stream } from '../../../src/ports/stores.ts';
import type { Transport } from '../../../src/ports/transport.ts';
import { simulated } from '../drills/support.ts';

type Cluster = NonNullable<SimulationOptions['cluster']>;
export type Wrap = NonNullable<Cluster['wrap']>;
const SEEDS = 4;
export const NOTHING: readonly Fault[] = [{ fault: 'wait', forMs: 20_000 }];

/**
 * Whatever a checker says against a run, in the first seeds in which it says it; the same run with nothing broken has to be good.
 * `switched`: for what is broken by a module that the test has replaced.
 */
export async function objections(
  of: string,
  workloads: readonly string[],
  faults: readonly Fault[],
  broken: Cluster,
  switched: (on: boolean) => void = () => undefined,
): Promise<string> {
  const planOf = (seed: number): Plan => ({
    ...({ version: 1, drill: 'bite', seed, world: 'simulation', nodes: 3, servers: 1, durationMs: 24_000 } as const),
    ...{ workloads, faults },
  });
  const said = async (seed: number, cluster: SimulationOptions['cluster']): Promise<readonly Judged[]> => {
    const { run } = await simulated(planOf(seed), cluster === undefined ? {} : { cluster });
    return judge(run, { workloads: WORKLOADS }).filter(({ by, verdict }) => by.startsWith(of) && verdict.verdict === 'bad');
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    switched(true);
    const found = await said(seed, broken).finally(() => switched(false));
    if (found.length === 0) continue;
    expect(await said(seed, undefined), `seed ${seed} with nothing broken`).toEqual([]);
    const text = found.flatMap(({ promise, by, verdict }) =>
      verdict.verdict === 'bad' ? verdict.violations.map((each) => `${promise} ${by}: ${each}`) : [],
    );
    console.log(`seed ${seed}: ${text[0]?.split('\n')[0]}`);
    return text.join('\n');
  }
  return 'nothing';
}

export const kvOf =
  (bucket: string, broken: (kv: Kv, node: string) => Kv): Wrap =>
  (node, { transport, stores }): MemoryConnection => ({
    transport,
    stores: { ...stores, kv: (store) => (store.endsWith(`_${bucket}`) ? broken(stores.kv(store), node) : stores.kv(store)) },
  });
export const streamOf =
  (name: string, broken: (stream: Stream) => Stream): Wrap =>
  (_, { transport, stores }): MemoryConnection => ({
    transport,
    stores: { ...stores, stream: (store) => (store.endsWith(`_${name}`) ? broken(stores.stream(store)) : stores.stream(store)) },
  });
export const transportOf =
  (broken: (transport: Transport, node: string) => Transport): Wrap =>
  (node, { transport, stores }): MemoryConnection => ({ stores, transport: broken(transport, node) });
