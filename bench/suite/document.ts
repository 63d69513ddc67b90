import { chart } from './chart.ts';
import { type Highlight, overview, shownOf } from './overview.ts';
import { type BenchRecord, machineText, paragraphs, reached } from './report.ts';
import type { Workload } from './workload.ts';

export const CHART = 'docs/images/bench.svg';

const BLOCK = /<!-- bench:([\w-]+) -->[\s\S]*?<!-- end -->/g;

type Sections = Readonly<Record<string, readonly Workload[]>>;
const dated = ({ at, rounds }: BenchRecord): string => `${at.slice(0, 10)}, ${rounds} rounds`;

/** What pages show of a record: the highlights as `fast`, `machine`, `reached`, and each section with all its workloads. */
export function blocks(sections: Sections, highlights: readonly Highlight[], record: BenchRecord): ReadonlyMap<string, string> {
  const shown = shownOf(highlights, Object.values(sections).flat(), record.rows);
  const section = (workloads: readonly Workload[]): string =>
    workloads.map((workload) => `### ${workload.name}\n\n${paragraphs(workload, record.rows)}`).join('\n\n');
  return new Map([
    ['fast', `${overview(shown)}\n\n![how many times better Nexa is than others](${CHART})`],
    ['machine', `${dated(record)}. ${machineText(record.machine)}.`],
    ['reached', reached(Object.values(sections).flat(), record.rows)],
    ...Object.entries(sections).map(([name, workloads]) => [name, section(workloads)] as const),
  ]);
}

/** The highlights beside others. */
export function charted(sections: Sections, highlights: readonly Highlight[], record: BenchRecord): string {
  const { cores, cpu, os } = record.machine;
  const shown = shownOf(highlights, Object.values(sections).flat(), record.rows);
  return chart(shown, `how many times better Nexa is: ${dated(record)} on ${cores} × ${cpu}, ${os}`);
}

/**
 * The pages with each `<!-- bench:… -->` block written anew; the words around them are written by hand.
 * @throws when a block has a name that nobody knows, or there is no place for one
 */
export function document<Page extends string>(
  pages: Readonly<Record<Page, string>>,
  shown: ReadonlyMap<string, string>,
): Readonly<Record<Page, string>> {
  const missing = new Set(shown.keys());
  const filled = (text: string): string =>
    text.replace(BLOCK, (_whole, name: string) => {
      const block = shown.get(name);
      if (block === undefined) throw new Error(`no measurement ${name}`);
      missing.delete(name);
      return `<!-- bench:${name} -->\n\n${block}\n\n<!-- end -->`;
    });
  const written = Object.entries<string>(pages).map(([page, text]) => [page, filled(text)]);
  if (missing.size > 0) throw new Error(`no place for ${[...missing].join(', ')}`);
  return Object.fromEntries(written) as Record<Page, string>;
}
