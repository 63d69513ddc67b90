import { LENIENCE, type Mark, verdictsOf } from '../checkers/judge.ts';
import type { Judged } from '../checkers/judged.ts';
import type { Verdict } from '../checkers/verdict.ts';
import type { Plan, Tier } from '../plan.ts';
import type { Run } from '../run.ts';
import { type CounterExample, counterExample } from './counter-example.ts';
import { type FaultEffect, faultEffects } from './fault-effect.ts';
import { type Operations, operationsOf } from './operations.ts';
import { type Seen, seenIn } from './seen.ts';
import { type Silence, silenceOf } from './windows.ts';

const REPORT_VERSION = 1;

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
  readonly silence: Silence;
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
  const { plan, startedAt, endedAtMs, healedAtMs, recoveredAtMs, versions, leaks, incomplete } = run;
  const { verdict, promises, violations } = verdictsOf(judged, incomplete);
  const forMs = Math.min(plan.durationMs, endedAtMs);
  return {
    version: REPORT_VERSION,
    verdict,
    promises: promisesOf(judged, promises),
    violations,
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
    silence: silenceOf(run, LENIENCE),
    faults: faultEffects(run),
    seen: seenIn(run),
    leaks,
    counterExample: counterExample(run.works, judged) ?? null,
  };
}

function promisesOf(judged: readonly Judged[], marks: Readonly<Record<string, Mark>>): Readonly<Record<string, Promised>> {
  const checksOf = (promise: string): Promised['checks'] =>
    judged.flatMap((each) => (each.promise === promise ? [{ by: each.by, ...each.verdict }] : []));
  return Object.fromEntries(Object.entries(marks).map(([promise, verdict]) => [promise, { verdict, checks: checksOf(promise) }]));
}
