import type { Check, Finding } from './ports/check.ts';
import type { Clock } from './ports/clock.ts';

/** The wall clock of somebody else, as it was at `atMs` of our monotonic clock, give or take `uncertainMs`. */
export interface OtherTime {
  readonly wallMs: number;
  readonly atMs: number;
  readonly uncertainMs: number;
}
/** What was seen of the clocks of this process. */
export interface ObservedClock {
  /** How far the monotonic and the wall clock moved between two looks. */
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** How late the most punctual of some timers was. */
  readonly timerLateMs: number;
  /** Ours less a server's; absent where none says what time it has. */
  readonly aheadMs?: number;
  readonly uncertainMs?: number;
}

const TIMERS = 3;
const TIMER_MS = 4;
const CHECK_MS = 2_000;
/** Timers that are never nearer than this make leases lapse and deadlines blur. */
const LATE_MS = 100;
/** A wall clock that moved so much otherwise than the monotonic one was set in between. */
const JUMP_MS = 500;
/** Reminders and logs of the nodes no longer fit together; beyond the second they are of another day's work. */
const AHEAD_MS = { warning: 500, failed: 60_000 } as const;

/** Nothing is decided by comparing clocks (C2), so a wrong one degrades a node and does not end it. Pure. */
export function clockFinding({ monotonicMs, wallMs, timerLateMs, aheadMs, uncertainMs = 0 }: ObservedClock): Finding {
  const synchronise = 'Let the machine synchronise its clock (chrony, ntpd, systemd-timesyncd).';
  if (!(monotonicMs > 0))
    return { verdict: 'failed', message: `the monotonic clock moved by ${monotonicMs} ms`, fix: 'Restart the machine.' };
  const jumpMs = Math.round(wallMs - monotonicMs);
  if (Math.abs(jumpMs) > JUMP_MS)
    return { verdict: 'warning', message: `the wall clock was set by ${jumpMs} ms during the check`, fix: synchronise };
  if (timerLateMs > LATE_MS)
    return {
      verdict: 'warning',
      message: `timers are ${Math.round(timerLateMs)} ms late`,
      fix: 'Give the machine more CPU, or run less on it.',
    };
  if (aheadMs === undefined) return { verdict: 'ok', message: `timers to ${timerLateMs.toFixed(1)} ms; no server to compare with` };
  const offMs = Math.max(0, Math.abs(aheadMs) - uncertainMs);
  const message = `the wall clock is ${Math.round(Math.abs(aheadMs))} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} the NATS server's`;
  if (offMs > AHEAD_MS.failed) return { verdict: 'failed', message, fix: synchronise };
  if (offMs > AHEAD_MS.warning) return { verdict: 'warning', message, fix: synchronise };
  return { verdict: 'ok', message: `timers to ${timerLateMs.toFixed(1)} ms; ${message}` };
}

/** Wall against monotonic time, the resolution of timers, and where one can be had, the wall clock of a server. */
export function clockCheck(
  clock: Clock,
  options: { readonly other?: () => Promise<OtherTime | undefined>; readonly after?: readonly string[] } = {},
): Check {
  return {
    name: 'clock',
    required: false,
    timeoutMs: CHECK_MS,
    ...(options.after === undefined ? {} : { after: options.after }),
    async run() {
      const from = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      const other = await options.other?.();
      const aheadMs = other === undefined ? undefined : clock.wallMs() - (clock.monotonicMs() - other.atMs) - other.wallMs;
      const lates: number[] = [];
      for (let timer = 0; timer < TIMERS; timer++) {
        const setMs = clock.monotonicMs();
        await new Promise<void>((resolve) => void clock.after(TIMER_MS, resolve));
        lates.push(Math.max(0, clock.monotonicMs() - setMs - TIMER_MS));
      }
      return clockFinding({
        monotonicMs: clock.monotonicMs() - from.monotonicMs,
        wallMs: clock.wallMs() - from.wallMs,
        timerLateMs: Math.min(...lates),
        ...(aheadMs === undefined || other === undefined ? {} : { aheadMs, uncertainMs: other.uncertainMs }),
      });
    },
  };
}
