import { type Row, ratios, spread } from './figures.ts';
import type { BenchRecord } from './report.ts';
import type { Workload } from './workload.ts';

/** One ratio to a bound or peer, then and now: absolute times of two machines, or of two days, cannot be compared. */
export interface Change {
  readonly workload: string;
  readonly at: string;
  readonly measure: string;
  readonly beside: string;
  readonly then: number;
  readonly now: number;
  readonly worse: boolean;
}
/** A ratio that fell by more than this is a regression. */
export const TOLERANCE = 0.25;

/** What both records measured. */
export function changes(workloads: readonly Workload[], baseline: BenchRecord, now: BenchRecord): readonly Change[] {
  return workloads.flatMap((workload) => {
    const [first = '', ...others] = Object.keys(workload.contenders);
    const ratio = (rows: readonly Row[], at: string, measure: string, beside: string): number => {
      const of = (contender: string): readonly number[] =>
        rows.find((row) => row.workload === workload.name && row.at === at && row.contender === contender)?.values[measure] ?? [];
      const kind = workload.measures[measure];
      return kind === undefined ? Number.NaN : spread(ratios(kind, of(first), of(beside))).median;
    };
    return workload.cases.flatMap((at) =>
      Object.keys(workload.measures).flatMap((measure) =>
        others.flatMap((beside) => {
          const then = ratio(baseline.rows, at, measure, beside);
          const seen = ratio(now.rows, at, measure, beside);
          if (!Number.isFinite(then) || !Number.isFinite(seen)) return [];
          return [{ workload: workload.name, at, measure, beside, then, now: seen, worse: seen < then * (1 - TOLERANCE) }];
        }),
      ),
    );
  });
}
