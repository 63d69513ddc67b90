import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 500;

/** How late this process's timers are. Never keeps the process alive; `stop` frees the histogram. */
export interface LoopLag {
  /** The 99th percentile of the last half to whole second, the window under way included. Any number of readers. */
  readonly sample: () => number;
  readonly stop: () => void;
}

export function loopLag(): LoopLag {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let sinceMs = performance.now();
  let before = 0;
  const current = (): number => {
    if (delays.count === 0) return Math.max(0, performance.now() - sinceMs - 2 * RESOLUTION_MS);
    // A reset forgets the delay under way, and one that has just ended may not be counted yet: both are missing from the sum.
    const uncounted = performance.now() - sinceMs - (delays.mean * delays.count) / 1e6;
    return Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS, uncounted - 2 * RESOLUTION_MS);
  };
  return {
    sample: () => {
      const now = current();
      const lag = Math.max(now, before);
      if (performance.now() - sinceMs >= WINDOW_MS) {
        before = now;
        delays.reset();
        sinceMs = performance.now();
      }
      return Math.round(lag);
    },
    stop: () => void delays.disable(),
  };
}
