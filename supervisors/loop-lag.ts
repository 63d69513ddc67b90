import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Lag } from '../actors/index.ts';

const RESOLUTION_MS = 10;
const WINDOW_MS = 500;

/** How late this process's timers are. Never keeps the process alive; `stop` frees the histogram. */
export interface LoopLag {
  /** The 99th percentile of the last half to whole second, the window under way included. Any number of readers. */
  readonly sample: () => number;
  /** As `sample`, with the median and the worst of the same time. */
  readonly quantiles: () => Lag;
  readonly stop: () => void;
}

const NONE: Lag = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

export function loopLag(): LoopLag {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let sinceMs = performance.now();
  let before = NONE;
  const current = (): Lag => {
    const elapsedMs = performance.now() - sinceMs;
    // A reset forgets the delay under way, and one that has just ended may not be counted yet: both are missing from the sum.
    const counted = delays.count === 0 ? 0 : (delays.mean * delays.count) / 1e6;
    const uncounted = Math.max(0, elapsedMs - counted - 2 * RESOLUTION_MS);
    if (delays.count === 0) return { p50Ms: uncounted, p99Ms: uncounted, maxMs: uncounted };
    const late = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      p50Ms: late(delays.percentile(50)),
      p99Ms: Math.max(late(delays.percentile(99)), uncounted),
      maxMs: Math.max(late(delays.max), uncounted),
    };
  };
  const quantiles = (): Lag => {
    const now = current();
    const worst = (of: keyof Lag): number => Math.round(Math.max(now[of], before[of]));
    const seen = { p50Ms: worst('p50Ms'), p99Ms: worst('p99Ms'), maxMs: worst('maxMs') };
    if (performance.now() - sinceMs >= WINDOW_MS) {
      before = now;
      delays.reset();
      sinceMs = performance.now();
    }
    return seen;
  };
  return { sample: () => quantiles().p99Ms, quantiles, stop: () => void delays.disable() };
}
