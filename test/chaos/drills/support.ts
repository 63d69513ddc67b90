import { DRILL_AGENTS } from '../../../chaos/agents/index.ts';
import { type Verdicts, verdictsOf } from '../../../chaos/checkers/judge.ts';
import { DRILLS } from '../../../chaos/drills/index.ts';
import { judgeRun } from '../../../chaos/judge-run.ts';
import type { Plan } from '../../../chaos/plan.ts';
import type { Run } from '../../../chaos/run.ts';
import { type RunOptions, runPlan } from '../../../chaos/runner.ts';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import type { WorkKind } from '../../../chaos/workloads/work.ts';
import { openSimulation, type SimulationOptions } from '../../../chaos/worlds/simulation.ts';

/** A plan in a simulated world, and what is said of it. */
export async function simulated(
  plan: Plan,
  given: Partial<RunOptions> & { readonly cluster?: SimulationOptions['cluster'] } = {},
): Promise<{ readonly run: Run } & Verdicts> {
  const { cluster, ...options } = given;
  const run = await runPlan({
    plan,
    works: plan.workloads.map((name) => WORKLOADS[name] as WorkKind),
    open: (world) => openSimulation({ ...world, agents: DRILL_AGENTS, ...(cluster === undefined ? {} : { cluster }) }),
    optional: DRILLS[plan.drill]?.swarm === true,
    ...options,
  });
  return { run, ...verdictsOf(judgeRun(run), run.incomplete) };
}

/** What a reader wants to know of one that did not pass. */
export const whyNot = ({ run, violations }: { readonly run: Run } & Verdicts): string =>
  [`seed ${run.plan.seed}`, ...violations, ...run.incomplete].join('\n');

/** States are written to the memory of their node, and acknowledged: who takes over finds what was there at first. */
export const hoarding = (): NonNullable<SimulationOptions['cluster']> => ({
  wrap: (_name, { transport, stores }) => {
    const kept = new Map<string, { readonly value: Uint8Array; readonly revision: number }>();
    return {
      transport,
      stores: {
        ...stores,
        kv: (store) => {
          const kv = stores.kv(store);
          if (!store.endsWith('_STATE')) return kv;
          return {
            ...kv,
            get: async (key, options) => kept.get(key) ?? kv.get(key, options),
            update: async (key, value, revision) => {
              kept.set(key, { value, revision: revision + 1 });
              return { written: 'yes', revision: revision + 1 };
            },
          };
        },
      },
    };
  },
});
