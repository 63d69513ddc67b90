import { ours, type Row, ratios, type Spread, spread, valuesOf } from './figures.ts';
import { atBest, plain, table } from './report.ts';
import type { Measure, Workload } from './workload.ts';

/** One figure that stands for many: beside whom it is shown, or nobody and then its limit. */
export interface Highlight {
  readonly what: string;
  readonly workload: string;
  /** Default: the only case. */
  readonly at?: string;
  readonly measure: string;
  readonly beside: readonly string[];
}
/** How many times better than somebody we are. */
export interface Beside {
  readonly who: string;
  readonly times: Spread;
}
export interface Shown {
  readonly what: string;
  readonly value: number;
  readonly kind: Measure;
  readonly limit: number | undefined;
  readonly beside: readonly Beside[];
}

/** What was measured of them. @throws when a highlight is of something that there is not */
export function shownOf(highlights: readonly Highlight[], workloads: readonly Workload[], rows: readonly Row[]): readonly Shown[] {
  return highlights.flatMap(({ what, measure, beside, ...highlight }) => {
    const workload = workloads.find(({ name }) => name === highlight.workload);
    const kind = workload?.measures[measure];
    const at = highlight.at ?? '';
    if (workload === undefined || kind === undefined || !workload.cases.includes(at)) throw new Error(`nothing measures ${what}`);
    const values = valuesOf(workload, rows);
    const mine = values(at, ours(workload), measure);
    const limit = workload.reach.flatMap((reach) =>
      'limit' in reach && reach.measure === measure && (reach.at ?? at) === at && reach.of === undefined ? [reach.limit] : [],
    )[0];
    const besides = beside.flatMap((who) => {
      if (!(who in workload.contenders)) throw new Error(`${who} is not measured beside ${what}`);
      const times = spread(ratios(kind, mine, values(at, who, measure)));
      return Number.isFinite(times.median) ? [{ who, times }] : [];
    });
    return mine.length === 0 ? [] : [{ what, kind, value: spread(mine).median, limit, beside: besides }];
  });
}

/** One line for each, with how many times better than others it is, or with what was asked of it. */
export function overview(shown: readonly Shown[]): string {
  if (shown.length === 0) return 'Not measured.';
  const lines = shown.map(({ what, kind, value, limit, beside }) => {
    const others = beside.map(({ who, times }) => `${plain(times.median)} × ${who}`);
    const asked = limit === undefined || beside.length > 0 ? [] : [`asked: ${atBest(kind)} ${plain(limit)}`];
    return [what, `${plain(value)} ${unitOf(kind)}`, [...others, ...asked].join(', ')];
  });
  return table(['what', 'Nexa', 'how many times better than'], lines);
}
/** What else a unit says is in the words of the line. */
const unitOf = ({ unit }: Measure): string => unit.split(/,| until | of /)[0] as string;
