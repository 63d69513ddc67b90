import { ours, type Row, ratioOf, ratios, type Spread, spread, valuesOf } from './figures.ts';
import type { BenchRecord } from './report.ts';
import type { Workload } from './workload.ts';

/** One ratio, then and now. */
export interface Change {
  readonly workload: string;
  readonly at: string;
  readonly measure: string;
  readonly of: string;
  readonly beside: string;
  readonly before: Spread;
  readonly after: Spread;
  readonly worse: boolean;
}
/** A ratio whose median fell by more than this is a regression. */
export const TOLERANCE = 0.25;

/**
 * What both records measured: ours beside each peer and bound, in ratios of the same round, since times of two machines or of two days
 * say nothing beside each other; and what is steady beside its limit.
 */
export function changes(workloads: readonly Workload[], baseline: BenchRecord, now: BenchRecord): readonly Change[] {
  return workloads.flatMap((workload) => {
    const before = pairs(workload, baseline.rows);
    return pairs(workload, now.rows).flatMap(({ seen, ...pair }) => {
      const then = before.find(
        ({ at, measure, of, beside }) => key(at, measure, of, beside) === key(pair.at, pair.measure, pair.of, pair.beside),
      );
      if (then === undefined) return [];
      const worse = seen.median < then.seen.median * (1 - TOLERANCE);
      return [{ workload: workload.name, ...pair, before: then.seen, after: seen, worse }];
    });
  });
}
const key = (...words: readonly string[]): string => words.join('\n');

type Pair = Pick<Change, 'at' | 'measure' | 'of' | 'beside'> & { readonly seen: Spread };
function pairs(workload: Workload, rows: readonly Row[]): readonly Pair[] {
  const values = valuesOf(workload, rows);
  const of = ours(workload);
  const others = Object.keys(workload.contenders).filter((name) => name !== of);
  return workload.cases
    .flatMap((at) =>
      Object.entries(workload.measures).flatMap(([measure, kind]) => {
        const besides = others.map((beside): Pair => {
          const seen = spread(ratios(kind, values(at, of, measure), values(at, beside, measure)));
          return { at, measure, of, beside, seen };
        });
        const limits = workload.reach.flatMap((reach): readonly Pair[] => {
          if (!('limit' in reach) || !kind.steady || reach.measure !== measure || (reach.at ?? at) !== at) return [];
          const name = reach.of ?? of;
          return [
            {
              at,
              measure,
              of: name,
              beside: 'its limit',
              seen: spread(values(at, name, measure).map((value) => ratioOf(kind, value, reach.limit))),
            },
          ];
        });
        return [...besides, ...limits];
      }),
    )
    .filter(({ seen }) => Number.isFinite(seen.median));
}
