import { type Change, TOLERANCE } from './compare.ts';
import { ours, type Row, ratioOf, ratios, type Spread, spread, type Target, targets, valuesOf } from './figures.ts';
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
const between = ({ least, most }: Spread): string => (Number.isFinite(least) ? `${plain(least)}–${plain(most)}` : '');
const ratioText = (seen: Spread): string => `${plain(seen.median)} (${between(seen)})`;
const named = (what: { readonly workload: string; readonly at: string; readonly measure: string; readonly of: string }): string =>
  `${what.workload}${what.at === '' ? '' : `, ${what.at}`}: ${what.measure} of ${what.of}`;
export const atBest = ({ better }: Measure): string => (better === 'more' ? 'at least' : 'at most');

/** A table's lines, in Markdown: what a terminal shows is the same. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

/** Every contender's figures with the ratio of ours to each, and the limits beside them. */
export function figures(workload: Workload, rows: readonly Row[]): string {
  const first = ours(workload);
  const values = valuesOf(workload, rows);
  const lines = workload.cases.flatMap((at) =>
    Object.entries(workload.measures).flatMap(([measure, kind]) => {
      const heads = [...(workload.cases.length > 1 ? [at] : []), `${measure}, ${kind.unit}`];
      const mine = values(at, first, measure);
      const contenders = Object.keys(workload.contenders).flatMap((contender) => {
        const theirs = values(at, contender, measure);
        if (theirs.length === 0) return [];
        const ratio = contender === first || mine.length === 0 ? '' : ratioText(spread(ratios(kind, mine, theirs)));
        return [[...heads, contender, plain(spread(theirs).median), between(spread(theirs)), ratio]];
      });
      const limits = workload.reach.flatMap((reach) => {
        const of = reach.of ?? first;
        if (!('limit' in reach) || reach.measure !== measure || (reach.at ?? at) !== at || values(at, of, measure).length === 0) return [];
        const ratio = ratioText(spread(values(at, of, measure).map((value) => ratioOf(kind, value, reach.limit))));
        return [[...heads, of === first ? 'limit' : `limit of ${of}`, `${atBest(kind)} ${plain(reach.limit)}`, '', ratio]];
      });
      return [...contenders, ...limits];
    }),
  );
  const several = workload.cases.length > 1 ? ['case'] : [];
  return lines.length === 0 ? 'Not measured.' : table([...several, 'measure', 'who', 'median', 'spread', `${first} is better by`], lines);
}

/** A workload: what is done, what was seen, what to know before believing it. */
export const paragraphs = (workload: Workload, rows: readonly Row[]): string =>
  [workload.about, figures(workload, rows), fewerRounds(workload), workload.words].filter((text) => text !== undefined).join('\n\n');
const fewerRounds = ({ rounds }: Workload): string | undefined =>
  rounds === undefined ? undefined : `At most ${rounds} rounds: one takes long.`;

/** What was to be reached, and what was. */
export function reached(workloads: readonly Workload[], rows: readonly Row[]): string {
  const answer = ({ met }: Target): string => (met === undefined ? 'not measured' : met ? 'yes' : 'no');
  const lines = workloads.flatMap((workload) =>
    targets(workload, rows).map((target) => {
      const kind = workload.measures[target.measure] as Measure;
      const asked =
        target.beside === undefined ? `${atBest(kind)} ${plain(target.asked)} ${kind.unit}` : `${plain(target.asked)} × ${target.beside}`;
      return [named(target), asked, plain(target.seen.median), between(target.seen), answer(target)];
    }),
  );
  return table(['what', 'asked', 'seen', 'spread', 'reached'], lines);
}

export function compared(seen: readonly Change[]): string {
  if (seen.length === 0) return 'Nothing that the other record has was measured.';
  const lines = seen.map((change) => [
    named(change),
    change.beside,
    ratioText(change.before),
    ratioText(change.after),
    change.worse ? 'worse' : '',
  ]);
  const worse = seen.filter((change) => change.worse).length;
  const said = worse === 0 ? 'No ratio' : `${worse} of ${seen.length} ratios`;
  return `${table(['ratio of', 'to', 'then', 'now', ''], lines)}\n\n${said} fell by more than ${TOLERANCE * 100} %.`;
}

export function machineText({ cpu, cores, memoryGiB, os, versions }: Machine): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${os}; ${used.join(', ')}`;
}
