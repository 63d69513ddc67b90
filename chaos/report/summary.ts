import { NOTICEABLE_MS, unavailable } from '../checkers/availability.ts';
import { type Mark, placeOf } from '../checkers/judge.ts';
import type { Run } from '../run.ts';
import { type Spread, spread } from '../spread.ts';
import { firstOks } from './fault-effect.ts';
import { faultKind } from './fault-text.ts';
import type { Report } from './report.ts';

export type Marks = Readonly<Record<Mark, number>>;

/** What came of many runs together. */
export interface Summary {
  readonly runs: Marks;
  /** Of all runs together, from the first work to the end. */
  readonly seconds: number;
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  readonly drills: readonly DrillRow[];
  /** How many runs said what of each promise. */
  readonly promises: Readonly<Record<string, Marks>>;
  readonly faults: readonly FaultRow[];
  readonly availability: Availability;
  /** Left behind by any run. */
  readonly leaks: number;
  /** Each version that took part. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly violations: readonly string[];
}
export interface DrillRow {
  readonly drill: string;
  /** `simulation`, or the tier. */
  readonly world: string;
  readonly runs: Marks;
  readonly seeds: readonly number[];
  readonly seconds: number;
  readonly faults: number;
  readonly operations: number;
}
export interface FaultRow {
  readonly number: string;
  readonly text: string;
  readonly world: string;
  readonly times: number;
  /** Agents that it met, and when they answered again. */
  readonly agents: number;
  readonly firstOkMs: Spread | null;
  readonly moved: number;
  readonly movedNeedlessly: number;
}
/** Shares of the time in which keys were asked; a key is unavailable when it does not answer for more than 300 ms. */
export interface Availability {
  /** Of everything, faults and all. */
  readonly withFaults: number;
  /** Only what no fault explains counts as unavailable. */
  readonly outsideFaults: number;
  /** How many such stretches. */
  readonly unexplained: number;
  readonly longestUnexplainedMs: number;
}

const VIOLATIONS = 100;
const NONE: Marks = { pass: 0, fail: 0, unknown: 0 };
const counted = (marks: Marks | undefined, mark: Mark): Marks => ({ ...(marks ?? NONE), [mark]: (marks ?? NONE)[mark] + 1 });

/** Adds up runs, one after the other: a run is large, and their sum is small. */
export function summing(): { add(run: Run, report: Report): void; summary(): Summary } {
  const drills = new Map<string, DrillRow>();
  const faults = new Map<string, FaultRow & { readonly samples: number[] }>();
  const promises = new Map<string, Marks>();
  const versions = new Map<string, Set<string>>();
  const operations = { ok: 0, fail: 0, info: 0 };
  const violations: string[] = [];
  let runs = NONE;
  let leaks = 0;
  const time = { askedMs: 0, silentMs: 0, unexplainedMs: 0, unexplained: 0, longestMs: 0 };

  const add = (run: Run, report: Report): void => {
    const { plan, verdict } = report;
    const world = report.tier ?? plan.world;
    runs = counted(runs, verdict);
    leaks += report.leaks.length;
    for (const outcome of ['ok', 'fail', 'info'] as const) operations[outcome] += report.operations[outcome];
    for (const [name, version] of Object.entries(report.versions)) versions.set(name, (versions.get(name) ?? new Set()).add(version));
    for (const [promise, { verdict: mark }] of Object.entries(report.promises)) promises.set(promise, counted(promises.get(promise), mark));
    for (const each of report.violations)
      if (violations.length < VIOLATIONS) violations.push(`${plan.drill}, seed ${plan.seed}, ${world}: ${each.split('\n', 1)[0]}`);

    const done = report.faults.filter(({ skipped, number }) => skipped === null && number !== null);
    const key = `${plan.drill} ${world}`;
    const row = drills.get(key) ?? { drill: plan.drill, world, runs: NONE, seeds: [], seconds: 0, faults: 0, operations: 0 };
    drills.set(key, {
      ...row,
      runs: counted(row.runs, verdict),
      seeds: [...row.seeds, plan.seed],
      seconds: row.seconds + report.endedAtMs / 1_000,
      faults: row.faults + done.length,
      operations: row.operations + report.operations.ok + report.operations.fail + report.operations.info,
    });

    const samples = firstOks(run);
    for (const [index, { number, fault, skipped, agents, moved, movedNeedlessly }] of report.faults.entries()) {
      if (skipped !== null || number === null) continue;
      const text = faultKind(fault);
      const of = `${number} ${text} ${world}`;
      const known = faults.get(of) ?? {
        number,
        text,
        world,
        times: 0,
        agents: 0,
        firstOkMs: null,
        moved: 0,
        movedNeedlessly: 0,
        samples: [],
      };
      known.samples.push(...(samples[index] ?? []));
      faults.set(of, {
        ...known,
        times: known.times + 1,
        agents: known.agents + agents,
        moved: known.moved + moved,
        movedNeedlessly: known.movedNeedlessly + movedNeedlessly,
      });
    }

    for (const { operations: calls, untilMs } of run.works) {
      const fromMs = new Map<number, number>();
      const toMs = new Map<number, number>();
      for (const { key: of, invokedAtMs, endedAtMs } of calls) {
        fromMs.set(of, Math.min(fromMs.get(of) ?? Number.POSITIVE_INFINITY, invokedAtMs));
        toMs.set(of, Math.max(toMs.get(of) ?? 0, Math.min(endedAtMs, untilMs)));
      }
      for (const [of, began] of fromMs) time.askedMs += (toMs.get(of) ?? began) - began;
      for (const window of unavailable(calls, { untilMs, longerThanMs: NOTICEABLE_MS })) time.silentMs += window.untilMs - window.fromMs;
    }
    time.unexplained += report.silence.unexplained;
    for (const { explained, fromMs, untilMs } of report.silence.worst) {
      if (explained) continue;
      time.unexplainedMs += untilMs - fromMs;
      time.longestMs = Math.max(time.longestMs, untilMs - fromMs);
    }
  };

  const share = (ms: number): number => (time.askedMs === 0 ? 0 : Math.round((1 - ms / time.askedMs) * 1e6) / 1e6);
  return {
    add,
    summary: () => ({
      runs,
      seconds: Math.round([...drills.values()].reduce((sum, { seconds }) => sum + seconds, 0)),
      operations: { ...operations },
      drills: [...drills.values()].sort((a, b) => (`${a.drill} ${a.world}` < `${b.drill} ${b.world}` ? -1 : 1)),
      promises: Object.fromEntries([...promises].sort(([a], [b]) => placeOf(a) - placeOf(b))),
      faults: [...faults.values()]
        .map(({ samples, ...row }) => ({ ...row, firstOkMs: samples.length === 0 ? null : spread(samples) }))
        .sort((a, b) => Number(a.number.slice(1)) - Number(b.number.slice(1)) || (a.text < b.text ? -1 : 1)),
      availability: {
        withFaults: share(time.silentMs),
        outsideFaults: share(time.unexplainedMs),
        unexplained: time.unexplained,
        longestUnexplainedMs: Math.round(time.longestMs),
      },
      leaks,
      versions: Object.fromEntries([...versions].map(([name, all]) => [name, [...all].sort()])),
      violations,
    }),
  };
}
