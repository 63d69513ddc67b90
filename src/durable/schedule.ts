import { NexaError } from '../errors.ts';
import { type CronTimes, cronTimes } from './cron.ts';

/** When a reminder is due, by the wall clock of whoever owns the agent. */
export type Schedule =
  /** Once, so long from now. */
  | { readonly inMs: number }
  /** Once, at that Unix time; one that is past is due at once. */
  | { readonly atMs: number }
  /** First so long from now, then always so long after; at least 1,000. */
  | { readonly everyMs: number }
  /** Five fields, or six with seconds first; without a time zone by UTC. */
  | { readonly cron: string; readonly timeZone?: string };

/** A schedule as it is stored: nothing in it depends on when it is read. */
export type FixedSchedule = { readonly atMs: number } | { readonly everyMs: number } | { readonly cron: string; readonly timeZone: string };

const SHORTEST_MS = 1_000;
const CENTURY_MS = 3_155_760_000_000;
/** The end of the calendar. */
const LAST_MS = 8.64e15;
/** Due times of a cron expression that are counted one by one; there may have been more. */
const COUNTED = 1_000;
/** How far back the last one is looked for, when there are too many to count. */
const LOOK_BACK_MS = [60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 400 * 86_400_000];

/** @throws NexaError `invalid-definition` naming the field. */
export function fixed(schedule: unknown, nowMs: number): FixedSchedule {
  const refuse = (field: string, problem: string): never => {
    throw new NexaError('invalid-definition', `a schedule: ${field} ${problem}`, {
      where: { field },
      fix: 'Give one of { inMs }, { atMs }, { everyMs } and { cron, timeZone? }.',
    });
  };
  if (typeof schedule !== 'object' || schedule === null) return refuse('schedule', 'is no object');
  const { timeZone, ...one } = schedule as { readonly timeZone?: unknown };
  const [field = 'schedule', ...more] = Object.keys(one);
  if (more.length > 0) return refuse(more[0] as string, `is too much beside ${field}`);
  const value: unknown = Object.values(one)[0];
  if (timeZone !== undefined && (field !== 'cron' || typeof timeZone !== 'string'))
    return refuse('timeZone', 'is the name of a time zone, and goes with cron only');
  const whole = (from: number, to: number): number =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to
      ? value
      : refuse(field, `is a whole number of milliseconds, ${from} to ${to}`);
  switch (field) {
    case 'inMs':
      return { atMs: Math.min(LAST_MS, Math.floor(nowMs) + whole(0, CENTURY_MS)) };
    case 'atMs':
      return { atMs: whole(0, LAST_MS) };
    case 'everyMs':
      return { everyMs: whole(SHORTEST_MS, CENTURY_MS) };
    case 'cron': {
      if (typeof value !== 'string') return refuse('cron', 'is a text');
      const zone = (timeZone as string | undefined) ?? 'UTC';
      cronTimes(value, zone, nowMs);
      return { cron: value, timeZone: zone };
    }
    default:
      return refuse(field, 'is unknown');
  }
}

/** When it is due for the first time. @throws NexaError `invalid-definition` for a cron expression that this node cannot read. */
export function firstDueAtMs(schedule: FixedSchedule, nowMs: number): number {
  if ('atMs' in schedule) return schedule.atMs;
  if ('everyMs' in schedule) return Math.floor(nowMs) + schedule.everyMs;
  return cronTimes(schedule.cron, schedule.timeZone, nowMs).after(nowMs) ?? LAST_MS;
}

/** The due times from one of them up to now, taken together. */
export interface Run {
  /** The latest of them. */
  readonly dueAtMs: number;
  /** How many came before it; of a cron expression at most 1,000 are counted. */
  readonly missed: number;
  /** The one after them; undefined: that was the last. */
  readonly nextAtMs: number | undefined;
}

/** What has come due since `dueAtMs`, itself a due time that is not later than now. */
export function runUntil(schedule: FixedSchedule, dueAtMs: number, nowMs: number): Run {
  if ('atMs' in schedule) return { dueAtMs, missed: 0, nextAtMs: undefined };
  if ('everyMs' in schedule) {
    const missed = Math.max(0, Math.floor((nowMs - dueAtMs) / schedule.everyMs));
    const last = dueAtMs + missed * schedule.everyMs;
    return { dueAtMs: last, missed, nextAtMs: last + schedule.everyMs };
  }
  const times = cronTimes(schedule.cron, schedule.timeZone, nowMs);
  let last = dueAtMs;
  for (let missed = 0; missed < COUNTED; missed++) {
    const nextAtMs = times.after(last);
    if (nextAtMs === undefined || nextAtMs > nowMs) return { dueAtMs: last, missed, nextAtMs };
    last = nextAtMs;
  }
  last = latest(times, last, nowMs);
  return { dueAtMs: last, missed: COUNTED, nextAtMs: times.after(last) };
}

/** The due time that follows one of them; undefined: there is none. */
export const following = (schedule: FixedSchedule, dueAtMs: number): number | undefined => runUntil(schedule, dueAtMs, dueAtMs).nextAtMs;

function latest(times: CronTimes, knownMs: number, nowMs: number): number {
  let last = knownMs;
  for (const backMs of LOOK_BACK_MS) {
    const found = nowMs - backMs <= knownMs ? knownMs : times.after(nowMs - backMs);
    if (found === undefined || found > nowMs) continue;
    for (let at: number | undefined = found; at !== undefined && at <= nowMs; at = times.after(at)) last = at;
    return last;
  }
  return last;
}
