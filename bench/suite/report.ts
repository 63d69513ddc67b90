import { type Row, ratios, type Spread, spread, type Target, targets } from './figures.ts';
import type { Machine } from './machine.ts';
import type { Measure, Workload } from './workload.ts';

/** One whole run, as `--json` writes it. */
export interface BenchRecord {
  readonly version: 1;
  readonly at: string;
  readonly rounds: number;
  /** 1: full runs. A figure of a quick run says nothing. */
  readonly scale: number;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

/** Three figures that count, and no more. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
const between = ({ least, most }: Spread): string => `${plain(least)}–${plain(most)}`;

/** A table's lines, in Markdown: what a terminal shows is the same. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

/** Every contender's figures, with the ratio of ours to each. */
export function figures(workload: Workload, rows: readonly Row[]): string {
  const first = Object.keys(workload.contenders)[0] ?? '';
  const several = workload.cases.length > 1;
  const lines = workload.cases.flatMap((at) =>
    Object.entries(workload.measures).flatMap(([measure, kind]) => {
      const of = (contender: string): readonly number[] | undefined =>
        rows.find((row) => row.workload === workload.name && row.at === at && row.contender === contender)?.values[measure];
      const ours = of(first);
      return Object.keys(workload.contenders).flatMap((contender) => {
        const seen = of(contender);
        if (seen === undefined) return [];
        const { median, ...rest } = spread(seen);
        const ratio = contender === first || ours === undefined ? '' : ratioText(kind, ours, seen);
        return [[...(several ? [at] : []), `${measure}, ${kind.unit}`, contender, plain(median), between({ median, ...rest }), ratio]];
      });
    }),
  );
  return table([...(several ? ['case'] : []), 'measure', 'who', 'median', 'spread', `${first} is better by`], lines);
}
function ratioText(measure: Measure, ours: readonly number[], theirs: readonly number[]): string {
  const seen = spread(ratios(measure, ours, theirs));
  return `${plain(seen.median)} (${between(seen)})`;
}

const named = ({ workload, at, measure, of }: Target): string => `${workload}${at === '' ? '' : ` (${at})`}: ${measure} of ${of}`;
/** What was to be reached, and what was. */
export function reached(workloads: readonly Workload[], rows: readonly Row[]): string {
  const lines = workloads.flatMap((workload) =>
    targets(workload, rows).map((target) => {
      const { unit, better } = workload.measures[target.measure] as Measure;
      const asked =
        target.beside === undefined
          ? `${better === 'more' ? 'at least' : 'at most'} ${plain(target.asked)} ${unit}`
          : `${target.asked} × ${target.beside}`;
      return [named(target), asked, plain(target.seen.median), between(target.seen), target.met ? 'yes' : 'no'];
    }),
  );
  return table(['what', 'asked', 'seen', 'spread', 'reached'], lines);
}

export function machineText({ cpu, cores, memoryGiB, os, versions }: Machine): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${os}; ${used.join(', ')}`;
}
