import type { Judged } from '../checkers/judged.ts';
import type { Verdict } from '../checkers/verdict.ts';
import type { Plan, Tier } from '../plan.ts';
import type { Run } from '../run.ts';
import { type CounterExample, counterExample } from './counter-example.ts';
import { type FaultEffect, faultEffects } from './fault-effect.ts';
import { type Operations, operationsOf } from './operations.ts';
import { type Seen, seenIn } from './seen.ts';

export const REPORT_VERSION = 1;

export type Mark = 'pass' | 'fail' | 'unknown';

/**
 * What came of a run: `report.json` of its folder, described in docs/drills.md. Fields are added within a version, never changed. Times are
 * milliseconds since the workloads were under way.
 */
export interface Report {
  readonly version: typeof REPORT_VERSION;
  readonly verdict: Mark;
  /** By the number of the promise (docs/semantics.md); one that nobody looked at is absent. */
  readonly promises: Readonly<Record<string, Promised>>;
  readonly violations: readonly string[];
  /** Why it is not a whole answer. */
  readonly incomplete: readonly string[];
  /** A line for a shell that runs the same again. */
  readonly replay: string;
  readonly plan: Plan;
  readonly tier: Tier | null;
  readonly startedAt: string;
  readonly endedAtMs: number;
  readonly healedAtMs: number;
  /** From the end of the last fault until everything was seen to work; null: never. */
  readonly recoveredMs: number | null;
  readonly versions: Readonly<Record<string, string>>;
  readonly operations: Operations;
  readonly workloads: Readonly<Record<string, Operations>>;
  readonly faults: readonly FaultEffect[];
  readonly seen: Seen;
  readonly leaks: readonly string[];
  readonly counterExample: CounterExample | null;
}

export interface Promised {
  readonly verdict: Mark;
  /** What each checker said; the worst decides. */
  readonly checks: readonly ({ readonly by: string } & Verdict)[];
}

/** Of the run and what was judged of it alone: the same at once and years later. */
export function reportOf(run: Run, judged: readonly Judged[], replay: string): Report {
  const promises = promisesOf(judged);
  const { plan, startedAt, endedAtMs, healedAtMs, recoveredAtMs, versions, leaks, incomplete } = run;
  const forMs = Math.min(plan.durationMs, endedAtMs);
  return {
    version: REPORT_VERSION,
    verdict: worst([...Object.values(promises).map(({ verdict }) => verdict), ...(incomplete.length > 0 ? ['unknown' as const] : [])]),
    promises,
    violations: judged.flatMap(({ promise, by, verdict }) =>
      verdict.verdict === 'bad' ? verdict.violations.map((violation) => `${promise} ${by}: ${violation}`) : [],
    ),
    incomplete,
    replay,
    plan,
    tier: run.tier ?? null,
    ...{ startedAt, endedAtMs, healedAtMs },
    recoveredMs: recoveredAtMs === undefined ? null : recoveredAtMs - healedAtMs,
    versions,
    operations: operationsOf(
      run.works.flatMap(({ operations }) => operations),
      forMs,
    ),
    workloads: Object.fromEntries(run.works.map(({ workload, operations }) => [workload, operationsOf(operations, forMs)])),
    faults: faultEffects(run),
    seen: seenIn(run),
    leaks,
    counterExample: counterExample(run.works, judged) ?? null,
  };
}

const marks = { ok: 'pass', bad: 'fail', unknown: 'unknown' } as const;
const worst = (all: readonly Mark[]): Mark =>
  all.includes('fail') ? 'fail' : all.includes('unknown') || all.length === 0 ? 'unknown' : 'pass';

function promisesOf(judged: readonly Judged[]): Readonly<Record<string, Promised>> {
  const checks = new Map<string, Promised['checks'][number][]>();
  for (const { promise, by, verdict } of judged) checks.set(promise, [...(checks.get(promise) ?? []), { by, ...verdict }]);
  return Object.fromEntries(
    [...checks]
      .sort(([a], [b]) => order(a) - order(b))
      .map(([promise, found]) => [promise, { verdict: worst(found.map(({ verdict }) => marks[verdict])), checks: found }]),
  );
}

/** As docs/semantics.md has them: messages, life, cluster, bounds. */
const order = (promise: string): number => 'MLCB'.indexOf(promise[0] ?? '') * 1_000 + Number.parseInt(promise.slice(1), 10);
