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
  readonly met: boolean;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/** A ratio above one is always the better one, whether more or less is better. */
export const ratioOf = (measure: Measure, ours: number, theirs: number): number =>
  measure.better === 'more' ? ours / theirs : theirs / ours;

/** Round by round, so that what else the machine did counts on both sides. */
export function ratios(measure: Measure, ours: readonly number[], theirs: readonly number[]): readonly number[] {
  return ours.slice(0, theirs.length).map((value, round) => ratioOf(measure, value, theirs[round] ?? Number.NaN));
}

/** What of a workload's targets can be told from these rows. */
export function targets(workload: Workload, rows: readonly Row[]): readonly Target[] {
  const first = Object.keys(workload.contenders)[0] ?? '';
  const valuesOf = (contender: string, at: string, measure: string): readonly number[] =>
    rows.find((row) => row.workload === workload.name && row.contender === contender && row.at === at)?.values[measure] ?? [];
  const told = (reach: Reach, at: string): readonly Target[] => {
    const measure = workload.measures[reach.measure];
    const of = reach.of ?? first;
    const ours = valuesOf(of, at, reach.measure);
    if (measure === undefined || ours.length === 0) return [];
    const common = { workload: workload.name, at, measure: reach.measure, of };
    if ('limit' in reach) {
      const seen = spread(ours);
      const met = measure.better === 'more' ? seen.median >= reach.limit : seen.median <= reach.limit;
      return [{ ...common, asked: reach.limit, seen, met }];
    }
    const theirs = valuesOf(reach.beside, at, reach.measure);
    if (theirs.length === 0) return [];
    const seen = spread(ratios(measure, ours, theirs));
    return [{ ...common, beside: reach.beside, asked: reach.ratio, seen, met: seen.median >= reach.ratio }];
  };
  return workload.cases.flatMap((at) =>
    workload.reach.filter((reach) => reach.at === undefined || reach.at === at).flatMap((reach) => told(reach, at)),
  );
}
