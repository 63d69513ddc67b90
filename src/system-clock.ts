import { uptime } from 'node:os';
import type { Clock } from './ports/clock.ts';

/** The longest delay that a timer of the platform keeps; above it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The system says the time since boot in hundredths of a second, and is asked at the price of a small message. */
const BOOT_STEP_MS = 10;
/** Asks the system again once either of the other clocks has gone on by a step: after a suspension the wall clock has. */
export function timeSinceBoot(system: { uptimeMs(): number; monotonicMs(): number; wallMs(): number }): () => number {
  let boot = { ms: 0, monotonicMs: Number.NEGATIVE_INFINITY, wallMs: 0 };
  return () => {
    const [monotonicMs, wallMs] = [system.monotonicMs(), system.wallMs()];
    if (monotonicMs - boot.monotonicMs >= BOOT_STEP_MS || Math.abs(wallMs - boot.wallMs) >= BOOT_STEP_MS)
      boot = { ms: system.uptimeMs(), monotonicMs, wallMs };
    return boot.ms;
  };
}

const now = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** The clock of this process. Its timers are exact to a millisecond, and as long as they are asked to be. */
export const systemClock: Clock = {
  ...now,
  bootMs: timeSinceBoot({ ...now, uptimeMs: () => uptime() * 1_000 }),
  after(delayMs, run) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (leftMs: number) => {
      timer = leftMs > LONGEST_MS ? setTimeout(() => wait(leftMs - LONGEST_MS), LONGEST_MS) : setTimeout(run, leftMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
