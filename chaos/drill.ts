import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnyAgent, type Message, NexaError } from '../index.ts';
import { systemClock } from '../src/system-clock.ts';
import { type Mark, verdictsOf } from './checkers/judge.ts';
import { DRILLS, planOf } from './drills/index.ts';
import type { Fault } from './fault.ts';
import { lengthMs } from './faults/index.ts';
import { judgeRun } from './judge-run.ts';
import { PLAN_VERSION, type Plan } from './plan.ts';
import { checkFaults, formatPlan, PLAN_LIMITS, planFrom } from './plan-file.ts';
import { freeFolder } from './report/folder.ts';
import { replayOf } from './report/replay.ts';
import { runInFolder } from './run-in-folder.ts';
import { type RunOptions, runPlan } from './runner.ts';
import { shrink } from './shrink.ts';
import { userWorkload } from './workloads/user-workload.ts';
import type { Workload } from './workloads/workload.ts';
import { type OpenOptions, openWorld } from './worlds/open-world.ts';

/** What came of a drill. The whole report is in its folder. */
export interface DrillReport {
  /** `unknown`: not everything that had to be looked at could be, or what the drill is there for never happened. */
  readonly verdict: Mark;
  /** By the number of the promise (docs/semantics.md); the workload's own check under its name. */
  readonly promises: Readonly<Record<string, Mark>>;
  readonly violations: readonly string[];
  /** Why it is not a whole answer. */
  readonly incomplete: readonly string[];
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  /** Paste it into a shell to run the same again; of a simulation that failed, with the faults that it fails with. */
  readonly replay: string;
  readonly folder: string;
}

export interface DrillOptions<Op extends Message, Result> {
  /** The name of a drill (docs/drills.md), or what goes wrong, one after the other. */
  readonly plan: string | readonly Fault[];
  readonly workload: Workload<Op, Result>;
  /** Definitions in `simulation`; a folder of modules for `processes`. */
  readonly agents: readonly AnyAgent[] | string;
  /** Default `processes`: real servers and nodes on this machine. */
  readonly world?: 'simulation' | 'processes';
  /** 0 … 2^32 − 1: what is asked, and whom the faults meet. Default 1. */
  readonly seed?: number;
  /** 1 … 20. Default: as the drill says; 3 for a list of faults. */
  readonly nodes?: number;
  /** How long faults and work go on, at most a day. Default: as the drill says; as long as the faults take. */
  readonly durationMs?: number;
  /** Where the report goes, a folder of its own. Default: below `nexa-drills` in the current one. */
  readonly folder?: string;
  /** Gives up: everything is ended, and what was seen so far is kept. */
  readonly signal?: AbortSignal;
}

/** Besides its own length each fault of a list gets so long: processes take their time to start. */
const EACH_MS = 3_000;

/**
 * Runs a cluster with the given agents under load, does the faults to it, heals everything, and says whether the promises held, those of the
 * runtime and those of the workload. Nothing of it is left but the report.
 * @throws NexaError `unavailable` if the machine lacks what the plan needs; nothing was started then. `invalid-definition` for agents that do
 *   not fit the world or a workload that is none, `invalid-message` for a plan that is none, `conflict` for a folder with something in it.
 */
export async function drill<Op extends Message, Result>(options: DrillOptions<Op, Result>): Promise<DrillReport> {
  const kind = userWorkload(options.workload);
  const plan = planned(options, kind.name);
  const agents = agentsOf(options.agents, plan.world);
  const folder = options.folder ?? (await freeFolder(plan, systemClock.wallMs()));
  const swarm = typeof options.plan === 'string' && DRILLS[options.plan]?.swarm === true;
  const running: Omit<RunOptions, 'plan'> = {
    works: [kind],
    open: (asked) => openWorld(plan.world, { ...asked, ...agents }),
    ...(swarm ? { optional: true } : {}),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const replay = (given: Plan, path: string): string => replayOf(given, undefined, path);
  const { report, folder: path } = await runInFolder({ plan, ...running, folder, judge: (run) => judgeRun(run, [kind]), replay });
  const fails = async (fewer: Plan): Promise<boolean> => {
    const run = await runPlan({ plan: fewer, ...running });
    return verdictsOf(judgeRun(run, [kind]), run.incomplete).verdict === 'fail';
  };
  const smaller = report.verdict === 'fail' && plan.world === 'simulation' ? (await shrink(plan, fails)).plan : undefined;
  if (smaller !== undefined) await writeFile(join(path, 'smaller.json'), formatPlan(smaller));
  const { verdict, promises, violations, incomplete, operations } = report;
  const { ok, fail, info } = operations;
  return {
    ...{ verdict, violations, incomplete, folder: path, operations: { ok, fail, info } },
    promises: Object.fromEntries(Object.entries(promises).map(([promise, each]) => [promise, each.verdict])),
    replay: smaller === undefined ? report.replay : replayOf(smaller, undefined, path).replace('plan.json', 'smaller.json'),
  };
}

type Choice = Pick<DrillOptions<Message, unknown>, 'plan' | 'world' | 'seed' | 'nodes' | 'durationMs'>;

/** @throws NexaError `invalid-message` */
function planned({ plan, world = 'processes', seed = 1, nodes, durationMs }: Choice, workload: string): Plan {
  const workloads = [workload];
  if (typeof plan === 'string') return planOf(plan, { world, seed, nodes, durationMs, workloads });
  const faults = checkFaults(plan);
  const takesMs = faults.reduce((sum, fault) => sum + lengthMs(fault) + EACH_MS, 0);
  return planFrom({
    ...{ version: PLAN_VERSION, drill: 'script', seed, world, nodes: nodes ?? 3, servers: 3, workloads, faults },
    durationMs: durationMs ?? Math.min(Math.max(takesMs, EACH_MS), PLAN_LIMITS.durationMs),
  });
}

/** @throws NexaError `invalid-definition` */
function agentsOf(agents: readonly AnyAgent[] | string, world: Plan['world']): Pick<OpenOptions, 'agents' | 'definitions'> {
  const wrong = (message: string, fix: string): NexaError =>
    new NexaError('invalid-definition', message, { where: { field: 'agents' }, fix });
  if (world === 'processes') {
    if (typeof agents === 'string') return { agents };
    throw wrong('real nodes load their agents from a folder of modules, and not from a list', 'Give the path of the folder.');
  }
  if (typeof agents !== 'string') return { definitions: agents };
  throw wrong('a simulation takes the definitions of its agents, and not a folder', 'Import them and give a list.');
}
