import { uptime } from 'node:os';
import type { Clock } from './ports/clock.ts';

/** The longest delay that a timer of the platform keeps; above it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of this process. Its timers are exact to a millisecond, and as long as they are asked to be. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootMs: () => uptime() * 1_000,
  after(delayMs, run) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (leftMs: number) => {
      timer = leftMs > LONGEST_MS ? setTimeout(() => wait(leftMs - LONGEST_MS), LONGEST_MS) : setTimeout(run, leftMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
