import { NexaError } from '../src/errors.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { DRILLS, type PlanChoice, planOf } from './drills/index.ts';
import { judgeRun } from './judge-run.ts';
import type { Plan, Tier } from './plan.ts';
import { defaultFolder, readFolder, readPlan, writeReport } from './report/folder.ts';
import { replayOf } from './report/replay.ts';
import { type Report, reportOf } from './report/report.ts';
import type { Run } from './run.ts';
import { runInFolder } from './run-in-folder.ts';
import type { Progress } from './runner/progress.ts';
import { WORKLOADS } from './workloads/index.ts';
import type { WorkKind } from './workloads/work.ts';
import { openWorld } from './worlds/open-world.ts';

/** A drill of the table, or a plan as it stands in a file; and where and how to run it. */
export type DrillRequest = (
  | ({ readonly drill: string } & { readonly [choice in keyof PlanChoice]?: PlanChoice[choice] | undefined })
  | {
      /** The path of a `plan.json`. */
      readonly script: string;
    }
) & {
  /** Default: the best that this machine allows. Only in the world of processes. */
  readonly tier?: Tier | undefined;
  /** A folder of agent modules, besides those of the workloads. Only in the world of processes. */
  readonly agents?: string | undefined;
  /** Default: `nexa-drills/<date>-<drill>-<seed>`. */
  readonly folder?: string | undefined;
  /** Ends it: everything is mended and ended, and what was seen so far is kept. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
};

/**
 * Runs a drill to its report, kept in a folder.
 * @throws NexaError `invalid-message` for a drill, workload or plan that is none, `unknown-version`, `no-such-actor` for a file that is not there,
 *   `conflict` for a folder with something in it, `unavailable` for what this machine or this world lacks: nothing was begun then.
 */
export async function runDrill(request: DrillRequest): Promise<{ readonly report: Report; readonly folder: string }> {
  const plan = await planFor(request);
  const { tier, agents, signal, onProgress } = request;
  if (plan.world === 'simulation' && (tier ?? agents) !== undefined)
    throw new NexaError('invalid-message', 'a simulation has no tiers, and no agents from a folder', {
      fix: `Leave out ${tier === undefined ? '--agents' : '--tier'}, or take --world processes.`,
    });
  return runInFolder({
    plan,
    works: plan.workloads.map(workNamed),
    open: (options) =>
      openWorld(plan.world, { ...options, ...(tier === undefined ? {} : { tier }), ...(agents === undefined ? {} : { agents }) }),
    optional: DRILLS[plan.drill]?.swarm === true,
    folder: request.folder ?? defaultFolder(plan, systemClock.wallMs()),
    judge: judgeRun,
    replay: replayFor,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Judges what a folder holds, with the checkers of today. @throws NexaError as {@link readFolder}. */
export async function judgeFolder(folder: string): Promise<{ readonly report: Report; readonly run: Run }> {
  const run = await readFolder(folder);
  return { report: reportOf(run, judgeRun(run), replayFor(run.plan, folder)), run };
}

/** The same, and writes its report there anew. @throws NexaError as {@link readFolder}, `unavailable`. */
export async function reportFolder(folder: string): Promise<Report> {
  const { report, run } = await judgeFolder(folder);
  await writeReport(folder, report, run);
  return report;
}

async function planFor(request: DrillRequest): Promise<Plan> {
  if ('script' in request) return readPlan(request.script);
  const { drill, seed = Math.floor(systemRandom.next() * 2 ** 32), world = 'processes', durationMs, nodes, servers, workloads } = request;
  for (const name of workloads ?? []) workNamed(name);
  return planOf(drill, { seed, world, durationMs, nodes, servers, workloads });
}

function workNamed(name: string): WorkKind {
  const kind = Object.hasOwn(WORKLOADS, name) ? WORKLOADS[name] : undefined;
  if (kind !== undefined) return kind;
  throw new NexaError('invalid-message', `there is no workload ${name.slice(0, 60)}; there are ${Object.keys(WORKLOADS).join(', ')}`, {
    where: { workload: name.slice(0, 60) },
  });
}

function replayFor(plan: Plan, folder: string): string {
  const { drill, ...choice } = plan;
  return replayOf(plan, Object.hasOwn(DRILLS, drill) ? planOf(drill, choice) : undefined, folder);
}
