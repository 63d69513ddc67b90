import type { Mark, Report } from '../../chaos/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { facts, plain, type Style, table } from '../output.ts';
import { durationText } from '../units.ts';

/** How a process ends after a drill, or after it was judged again. */
export const exitOf = (verdict: Mark): ExitCode => (verdict === 'pass' ? EXIT.ok : verdict === 'fail' ? EXIT.failure : EXIT.unknown);

const coloured = (mark: Mark, style: Style): string =>
  mark === 'pass' ? style.good(mark) : mark === 'fail' ? style.bad(mark) : style.warn(mark);
const ms = (value: number): string => (value < 1_000 ? `${Math.round(value * 10) / 10} ms` : `${(value / 1_000).toFixed(2)} s`);
const spread = (value: { readonly p50: number; readonly p99: number; readonly max: number } | null): string =>
  value === null ? '-' : `${ms(value.p50)} / ${ms(value.p99)} / ${ms(value.max)}`;

/** What came of it on one screen; the rest is in the folder. */
export function drillText(report: Report, folder: string, style: Style): string {
  const { plan, operations: calls, silence } = report;
  const promises = Object.entries(report.promises).map(([promise, { verdict }]) => `${plain(promise)} ${coloured(verdict, style)}`);
  const faults = report.faults.filter(({ fault }) => fault.fault !== 'wait' && fault.fault !== 'heal');
  const doubts = [
    ...report.incomplete,
    ...Object.values(report.promises).flatMap(({ checks }) =>
      checks.flatMap((check) => (check.verdict === 'unknown' ? [`${check.by}: ${check.reason}`] : [])),
    ),
  ];
  return [
    facts(
      [
        [
          'verdict',
          `${style.bold(coloured(report.verdict, style))}  ${plain(plan.drill)}, seed ${plan.seed}, ${plan.world}${report.tier === null ? '' : ` in ${report.tier}`}, ${durationText(report.endedAtMs)}`,
        ],
        ['promises', promises.join('  ')],
        ['calls', `${calls.ok} ok, ${calls.fail} fail, ${calls.info} unknown; ${calls.perSecond} ok/s; ${spread(calls.okMs)}`],
        [
          'silence',
          silence.windows === 0
            ? 'nobody for more than 300 ms'
            : `${silence.windows} times more than 300 ms, at most ${ms(silence.longestMs)}; ${silence.unexplained} beyond what a fault may cost`,
        ],
        ['recovered', report.recoveredMs === null ? style.warn('never') : `${ms(report.recoveredMs)} after the last fault`],
        ['left behind', report.leaks.length === 0 ? 'nothing' : style.bad(report.leaks.map(plain).join('; '))],
      ],
      style,
    ),
    ...(faults.length === 0 ? [] : [faultTable(faults, style)]),
    ...(report.violations.length === 0 ? [] : [lines(report.violations).map(style.bad).join('\n')]),
    ...(doubts.length === 0 ? [] : [lines(doubts).map(style.warn).join('\n')]),
    facts(
      [
        ['again', plain(report.replay)],
        ['report', plain(`${folder}/report.html`)],
      ],
      style,
    ),
  ].join('\n\n');
}

const SHOWN = 20;
const LONGEST = 300;
const lines = (all: readonly string[]): readonly string[] => [
  ...all.slice(0, SHOWN).map((each) => plain((each.split('\n', 1)[0] ?? '').slice(0, LONGEST))),
  ...(all.length > SHOWN ? [`… and ${all.length - SHOWN} more`] : []),
];

const faultTable = (faults: Report['faults'], style: Style): string =>
  table(
    ['at', 'fault', 'met', 'for', 'seen after', 'agents', 'first ok p50/p99/max', 'silent', 'moved'],
    faults
      .slice(0, SHOWN)
      .map((each) => [
        ms(each.fromMs),
        plain(`${each.number ?? ''} ${each.text}`.trim()) +
          (each.skipped === null ? '' : style.dim(` left out: ${plain(each.skipped.slice(0, 60))}`)),
        plain(each.met.join(' ')) || '-',
        ms(each.untilMs - each.fromMs),
        each.detectedMs === null ? '-' : ms(each.detectedMs),
        `${each.agents}`,
        spread(each.firstOkMs),
        each.silent === 0 ? '0' : style.bad(`${each.silent}`),
        `${each.moved}${each.movedNeedlessly === 0 ? '' : style.bad(` (${each.movedNeedlessly} needlessly)`)}`,
      ]),
    style,
  ) + (faults.length > SHOWN ? `\n… and ${faults.length - SHOWN} more` : '');
