import type { Measure, Reach, Workload } from './workload.ts';

/** What was seen of one contender in one case: a value per round and measure. */
export interface Row {
  readonly workload: string;
  readonly at: string;
  readonly contender: string;
  readonly values: Readonly<Record<string, readonly number[]>>;
}
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}
export interface Target {
  readonly workload: string;
  readonly at: string;
  readonly measure: string;
  readonly of: string;
  /** Another contender; undefined for a limit. */
  readonly beside?: string;
  readonly asked: number;
  /** Of the ratios of each round, or of the values. */
  readonly seen: Spread;
  /** Undefined: one of the two was not measured. */
  readonly met?: boolean;
}

export const ours = (workload: Workload): string => Object.keys(workload.contenders)[0] ?? '';

/** NaN in all of them: of nothing. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/** A ratio above one is always the better one, whether more or less is better; none beside none is as good. */
export function ratioOf(measure: Measure, ours: number, theirs: number): number {
  if (ours === theirs) return 1;
  return measure.better === 'more' ? ours / theirs : theirs / ours;
}

/** Round by round, so that what else the machine did counts on both sides. */
export function ratios(measure: Measure, ours: readonly number[], theirs: readonly number[]): readonly number[] {
  return ours.slice(0, theirs.length).map((value, round) => ratioOf(measure, value, theirs[round] ?? Number.NaN));
}

/** What was seen of a contender, round by round; nothing, if it was not measured. */
export type Values = (at: string, contender: string, measure: string) => readonly number[];
export const valuesOf =
  (workload: Workload, rows: readonly Row[]): Values =>
  (at, contender, measure) =>
    rows.find((row) => row.workload === workload.name && row.at === at && row.contender === contender)?.values[measure] ?? [];

/** All of a workload's targets, and what is known of them. */
export function targets(workload: Workload, rows: readonly Row[]): readonly Target[] {
  const values = valuesOf(workload, rows);
  const told = (reach: Reach, at: string): readonly Target[] => {
    const measure = workload.measures[reach.measure];
    if (measure === undefined) return [];
    const of = reach.of ?? ours(workload);
    const mine = values(at, of, reach.measure);
    const common = { workload: workload.name, at, measure: reach.measure, of };
    const known = ({ median }: Spread, met: boolean) => (Number.isNaN(median) ? {} : { met });
    if ('limit' in reach) {
      const seen = spread(mine);
      const met = measure.better === 'more' ? seen.median >= reach.limit : seen.median <= reach.limit;
      return [{ ...common, asked: reach.limit, seen, ...known(seen, met) }];
    }
    const seen = spread(ratios(measure, mine, values(at, reach.beside, reach.measure)));
    return [{ ...common, beside: reach.beside, asked: reach.ratio, seen, ...known(seen, seen.median >= reach.ratio) }];
  };
  return workload.cases.flatMap((at) =>
    workload.reach.filter((reach) => reach.at === undefined || reach.at === at).flatMap((reach) => told(reach, at)),
  );
}
