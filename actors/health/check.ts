import { NexaError } from '../../src/errors.ts';
import type { Sample } from '../monitor/protocol.ts';

export type Level = 'ok' | 'warn' | 'critical';

/** One thing to look at in a sample. Pure: no clock, no state, no surroundings. */
export interface HealthCheck {
  readonly name: string;
  readonly unit: string;
  /** Undefined where the sample does not tell. */
  readonly value: (sample: Sample) => number | undefined;
  /** From this value on. */
  readonly warn: number;
  readonly critical: number;
}
export type Thresholds = Readonly<Record<string, { readonly warn?: number; readonly critical?: number }>>;

const share = (used: number, limit: number): number | undefined => (limit > 0 ? used / limit : undefined);
/** The fullest of all types. */
const fullest = (sample: Sample, of: (type: Sample['types'][string]) => number | undefined): number | undefined => {
  const shares = Object.values(sample.types).flatMap((type) => of(type) ?? []);
  return shares.length === 0 ? undefined : Math.max(...shares);
};

/** What a node looks at by itself. Shares are of what is allocated. */
export const CHECKS: readonly HealthCheck[] = [
  { name: 'loop-lag', unit: 'ms', value: ({ lagMs }) => lagMs, warn: 100, critical: 1_000 },
  {
    name: 'memory',
    unit: 'share',
    value: ({ rssBytes, memoryLimitBytes }) => share(rssBytes, memoryLimitBytes),
    warn: 0.8,
    critical: 0.95,
  },
  { name: 'heap', unit: 'share', value: ({ heapBytes, heapLimitBytes }) => share(heapBytes, heapLimitBytes), warn: 0.8, critical: 0.95 },
  {
    name: 'mailboxes',
    unit: 'share',
    value: (sample) =>
      fullest(sample, (type) => {
        const [messages, bytes] = [share(type.mailbox, type.mailboxLimit), share(type.mailboxBytes, type.mailboxLimitBytes)];
        return messages === undefined ? bytes : Math.max(messages, bytes ?? 0);
      }),
    warn: 0.5,
    critical: 0.9,
  },
  {
    name: 'states',
    unit: 'share',
    value: (sample) => fullest(sample, ({ stateBytes, stateLimitBytes }) => share(stateBytes, stateLimitBytes)),
    warn: 0.8,
    critical: 0.95,
  },
  { name: 'unplaced', unit: 'agents', value: ({ unplaced }) => unplaced, warn: 1, critical: 100 },
];

/** The checks with other thresholds. @throws NexaError `invalid-definition`: no such check, or thresholds that make no sense. */
export function withThresholds(checks: readonly HealthCheck[], thresholds: Thresholds): readonly HealthCheck[] {
  const misfit = (name: string, message: string): NexaError =>
    new NexaError('invalid-definition', `health.${name.slice(0, 64)} ${message}`, {
      where: { check: name.slice(0, 64) },
      fix: `Give warn, critical or both, above 0 and in this order, for: ${checks.map((check) => check.name).join(', ')}.`,
    });
  for (const name of Object.keys(thresholds)) if (!checks.some((check) => check.name === name)) throw misfit(name, 'is no check of a node');
  return checks.map((check) => {
    const { warn = check.warn, critical = check.critical } = (Object.hasOwn(thresholds, check.name) && thresholds[check.name]) || {};
    const sensible = Number.isFinite(warn) && Number.isFinite(critical) && warn > 0 && warn <= critical;
    if (!sensible) throw misfit(check.name, `has the thresholds ${warn} and ${critical}`);
    return { ...check, warn, critical };
  });
}

/** Down again only below this share of the threshold: a value that trembles around it is one alert. */
const CALM = 0.9;
/** Findings in a row until a level is taken for worse, or for better. */
const RISES_AFTER = 2;
const FALLS_AFTER = 3;
const ORDER: readonly Level[] = ['ok', 'warn', 'critical'];

export interface Watched {
  readonly level: Level;
  readonly value: number | undefined;
  readonly sinceMs: number | undefined;
  /** Where the last findings in a row point to. */
  readonly towards: { readonly level: Level; readonly times: number } | undefined;
}
export const UNSEEN: Watched = { level: 'ok', value: undefined, sinceMs: undefined, towards: undefined };

/** A change that somebody should hear of. */
export interface Turn {
  readonly level: Level;
  readonly before: Level;
  readonly value: number;
  /** That was passed, upwards or downwards. */
  readonly threshold: number;
}

/** What a value says by itself, given where one stands. */
function levelOf(value: number, { warn, critical }: HealthCheck, stands: Level): Level {
  const from = (level: Level, threshold: number): number => (ORDER.indexOf(stands) >= ORDER.indexOf(level) ? threshold * CALM : threshold);
  if (value >= from('critical', critical)) return 'critical';
  return value >= from('warn', warn) ? 'warn' : 'ok';
}

/** One finding: what is thought of it now, and whether that is news. Raised once, resolved once, whatever trembles in between. */
export function consider(
  watched: Watched,
  check: HealthCheck,
  value: number | undefined,
  nowMs: number,
): readonly [Watched, Turn | undefined] {
  if (value === undefined || Number.isNaN(value)) return [watched, undefined];
  const seen: Watched = { ...watched, value, sinceMs: watched.sinceMs ?? nowMs };
  const says = levelOf(value, check, watched.level);
  if (says === watched.level) return [{ ...seen, towards: undefined }, undefined];
  const worse = (level: Level): boolean => ORDER.indexOf(level) > ORDER.indexOf(watched.level);
  const rising = worse(says);
  const before = watched.towards !== undefined && worse(watched.towards.level) === rising ? watched.towards : undefined;
  // Of a row only what all of them say: the least of what rises, the worst of what falls.
  const near = (a: Level, b: Level): Level => (ORDER.indexOf(a) < ORDER.indexOf(b) === rising ? a : b);
  const towards = { level: before === undefined ? says : near(before.level, says), times: (before?.times ?? 0) + 1 };
  if (towards.times < (rising ? RISES_AFTER : FALLS_AFTER)) return [{ ...seen, towards }, undefined];
  const { level } = towards;
  const passed = rising ? level : watched.level;
  const threshold = passed === 'critical' ? check.critical : check.warn;
  return [
    { level, value, sinceMs: nowMs, towards: undefined },
    { level, before: watched.level, value, threshold },
  ];
}

export const worst = (levels: readonly Level[]): Level => ORDER[Math.max(0, ...levels.map((level) => ORDER.indexOf(level)))] as Level;
