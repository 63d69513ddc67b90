import { milliseconds, safe, table } from './markdown.ts';
import type { Marks, Summary } from './summary.ts';

const percent = (share: number): string => `${Math.floor(share * 1e5) / 1e3} %`;
const marks = ({ pass, fail, unknown }: Marks): readonly string[] => [pass, fail, unknown].map(String);

/** Seeds as they are read: `1 … 10, 42`. */
export function seedsText(seeds: readonly number[]): string {
  const sorted = [...new Set(seeds)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const seed of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && seed === last[1] + 1) last[1] = seed;
    else runs.push([seed, seed]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from} … ${to}`)).join(', ');
}

/** What came of many runs, for people: the tables of docs/chaos-results.md. */
export function summaryMarkdown(summary: Summary): string {
  const { runs, seconds, operations, drills, promises, faults, availability, leaks, versions, violations } = summary;
  const total = runs.pass + runs.fail + runs.unknown;
  return [
    table(
      ['', ''],
      [
        ['runs', `${total}: ${runs.pass} pass, ${runs.fail} fail, ${runs.unknown} unknown`],
        ['time under work', `${Math.round(seconds / 60)} min`],
        ['operations', `${operations.ok} ok, ${operations.fail} definitely failed, ${operations.info} unknown`],
        ['faults done', String(faults.reduce((sum, { times }) => sum + times, 0))],
        ['availability, faults and all', percent(availability.withFaults)],
        ['availability, what no fault explains', percent(availability.outsideFaults)],
        [
          'stretches over 300 ms that no fault explains',
          availability.unexplained === 0
            ? 'none'
            : `${availability.unexplained}, the longest ${milliseconds(availability.longestUnexplainedMs)}`,
        ],
        ['left behind', leaks === 0 ? 'nothing' : String(leaks)],
        [
          'versions',
          Object.entries(versions)
            .map(([name, all]) => `${safe(name)} ${all.map(safe).join(', ')}`)
            .join('; '),
        ],
      ],
    ),
    '## Drills',
    table(
      ['drill', 'world', 'pass', 'fail', 'unknown', 'seeds', 'minutes', 'faults', 'operations'],
      drills.map((row) => [
        safe(row.drill),
        row.world,
        ...marks(row.runs),
        seedsText(row.seeds),
        (row.seconds / 60).toFixed(1),
        String(row.faults),
        String(row.operations),
      ]),
    ),
    '## Promises',
    'In how many runs somebody looked, and what was found ([what they say](semantics.md)).',
    table(
      ['promise', 'pass', 'fail', 'unknown'],
      Object.entries(promises).map(([promise, found]) => [promise, ...marks(found)]),
    ),
    '## Faults',
    'First ok: from the fault to the first answer to a call that began after it, of each agent that lived where it struck; of all agents where it struck servers alone. Over all runs.',
    table(
      ['', 'fault', 'world', 'times', 'agents met', 'first ok p50', 'p99', 'max', 'moved', 'needlessly'],
      faults.map((row) => [
        row.number,
        safe(row.text),
        row.world,
        String(row.times),
        String(row.agents),
        ...(row.firstOkMs === null ? ['-', '-', '-'] : [row.firstOkMs.p50, row.firstOkMs.p99, row.firstOkMs.max].map(milliseconds)),
        String(row.moved),
        String(row.movedNeedlessly),
      ]),
    ),
    ...(violations.length === 0 ? [] : ['## Violations', violations.map((each) => `- ${safe(each)}`).join('\n')]),
  ].join('\n\n');
}
