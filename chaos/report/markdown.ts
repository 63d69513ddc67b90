import type { Spread } from '../spread.ts';
import type { FaultEffect } from './fault-effect.ts';
import type { Operations } from './operations.ts';
import type { Report } from './report.ts';

/** `report.md`: the same as report.json, for people. Nothing in it is markup that it was given: ids and messages come from others. */
export function markdown(report: Report): string {
  const { plan, promises, operations, workloads, faults, seen, leaks, counterExample, incomplete, violations } = report;
  return [
    `# ${safe(plan.drill)}, seed ${plan.seed}: ${report.verdict}`,
    table(
      ['', ''],
      [
        ['started', safe(report.startedAt)],
        ['world', `${plan.world}${report.tier === null ? '' : `, tier ${report.tier}`}, ${plan.nodes} nodes, ${plan.servers} servers`],
        ['went on for', `${seconds(report.endedAtMs)}, healed at ${seconds(report.healedAtMs)}, ${recovered(report)}`],
        ['versions', list(report.versions)],
      ],
    ),
    `Again: \`${code(report.replay)}\``,
    ...(incomplete.length > 0 ? [`Not a whole answer:\n${incomplete.map((why) => `- ${safe(why)}`).join('\n')}`] : []),
    '## Promises',
    table(
      ['promise', 'verdict', 'checks'],
      Object.entries(promises).map(([promise, { verdict, checks }]) => [
        promise,
        verdict === 'pass' ? verdict : `**${verdict}**`,
        checks.map(({ by, verdict: said }) => (said === 'ok' ? safe(by) : `${safe(by)}: ${said}`)).join(', '),
      ]),
    ),
    ...(violations.length > 0 ? [`### Violations\n${violations.map((each) => `- ${safe(firstLine(each))}`).join('\n')}`] : []),
    ...doubts(report),
    ...(counterExample === null
      ? []
      : [`### The smallest counter-example\n${counterExample.promise}, ${safe(counterExample.by)}\n\n${block(counterExample.text)}`]),
    '## Operations',
    table(
      ['', 'ok', 'fail', 'unknown', 'repeats', 'ok/s', 'ok p50', 'p99', 'max', 'errors'],
      [['all', operations] as const, ...Object.entries(workloads)].map(([name, each]) => [safe(name), ...counts(each)]),
    ),
    '## Without an answer for more than 300 ms',
    silence(report),
    '## Faults',
    table(
      [
        'at',
        'fault',
        'met',
        'for',
        'seen after',
        'agents',
        'taken over p50',
        'p99',
        'max',
        'first ok p50',
        'p99',
        'max',
        'silent',
        'moved',
        'needlessly',
      ],
      faults.map(faultRow),
    ),
    '## Seen',
    table(
      ['', ''],
      [
        ['commits fenced', `${seen.fenced}`],
        ['nodes without a lease', `${seen.suspended}`],
        ['agents put aside', `${seen.quarantined}`],
        ['moves', list(seen.moves)],
        ['dead letters', list(seen.deadLetters)],
        ['processes ended', list(seen.exits)],
        ['left behind', leaks.length === 0 ? 'nothing' : leaks.map(safe).join('; ')],
      ],
    ),
  ].join('\n\n');
}

function silence({ silence: { windows, unexplained, longestMs, worst } }: Report): string {
  if (windows === 0) return 'Nobody who was asked.';
  const shown = worst.slice(0, 20);
  return [
    `${windows} times, the longest ${seconds(longestMs)}; ${unexplained} of them beyond what a fault may cost.`,
    table(
      ['from', 'for', 'agent', 'workload', 'during', 'explained'],
      shown.map(({ fromMs, untilMs, agent, key, workload, during, explained }) => [
        seconds(fromMs),
        seconds(untilMs - fromMs),
        safe(agent || `key ${key}`),
        safe(workload),
        safe(during.join(', ')) || '-',
        explained ? 'yes' : '**no**',
      ]),
    ),
    ...(windows > shown.length ? [`and ${windows - shown.length} more`] : []),
  ].join('\n\n');
}

function doubts({ promises }: Report): readonly string[] {
  const reasons = Object.entries(promises).flatMap(([promise, { checks }]) =>
    checks.flatMap((check) => (check.verdict === 'unknown' ? [`- ${promise} ${safe(check.by)}: ${safe(check.reason)}`] : [])),
  );
  return reasons.length === 0 ? [] : [`### Not decided\n${reasons.join('\n')}`];
}

const counts = ({ ok, fail, info, repeats, perSecond, okMs, errors }: Operations): readonly string[] => [
  ...[ok, fail, info, repeats, perSecond].map(String),
  ...spreadCells(okMs),
  list(errors),
];

const faultRow = (each: FaultEffect): readonly string[] => [
  seconds(each.fromMs),
  safe(`${each.number ?? ''} ${each.text}`.trim()) + (each.skipped === null ? '' : `, left out: ${safe(each.skipped)}`),
  each.met.map(safe).join(', ') || '-',
  seconds(each.untilMs - each.fromMs),
  each.detectedMs === null ? '-' : seconds(each.detectedMs),
  String(each.agents),
  ...spreadCells(each.takenOverMs),
  ...spreadCells(each.firstOkMs),
  ...[each.silent, each.moved, each.movedNeedlessly].map(String),
];

const spreadCells = (spread: Spread | null): readonly string[] =>
  spread === null ? ['-', '-', '-'] : [spread.p50, spread.p99, spread.max].map(milliseconds);

/** `85 ms`, `1.24 s` */
export const milliseconds = (ms: number): string => (ms < 1_000 ? `${Math.round(ms * 10) / 10} ms` : seconds(ms));
/** `12.3 s` */
export const seconds = (ms: number): string => `${Math.round(ms / 10) / 100} s`;
export const recovered = ({ recoveredMs }: Report): string =>
  recoveredMs === null ? 'never seen to recover' : `recovered after ${seconds(recoveredMs)}`;

const list = (counted: Readonly<Record<string, unknown>>): string =>
  Object.entries(counted)
    .map(([name, value]) => `${safe(name)} ${safe(String(value))}`)
    .join(', ') || 'none';

const LONGEST = 500;
export const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, LONGEST) ?? '';
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const spelled = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;
/** One line that is text and nothing else, in Markdown and in HTML that is made of it. */
export const safe = (text: string): string =>
  text
    .slice(0, LONGEST)
    .replace(control, spelled)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|~!#]/g, (character) => `\\${character}`);
const code = (text: string): string => text.replace(control, spelled).replaceAll('`', "'");
/** Lines as they stand; indented, so that nothing in them ends the block. */
const block = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line.replace(control, spelled)}`)
    .join('\n');

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
