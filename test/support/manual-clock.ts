import type { Clock } from '../../src/ports/clock.ts';

/** A clock that stands still until it is told: timers fire in order of time, then of making, with the microtasks drained between them. */
export function manualClock(): Clock & { advance(ms: number): Promise<void> } {
  let nowMs = 0;
  let made = 0;
  let timers: { readonly dueMs: number; readonly order: number; readonly run: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 32; round++) await Promise.resolve();
  };
  return {
    monotonicMs: () => nowMs,
    wallMs: () => 1_700_000_000_000 + nowMs,
    bootMs: () => nowMs,
    after: (delayMs, run) => {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), order: made++, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance: async (ms) => {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const next = timers
          .filter((timer) => timer.dueMs <= endMs)
          .sort((one, other) => one.dueMs - other.dueMs || one.order - other.order)[0];
        if (next === undefined) break;
        timers = timers.filter((one) => one !== next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
        await settle();
      }
      nowMs = endMs;
    },
  };
}
