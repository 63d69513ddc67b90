import type { Clock, Random } from 'nexa';

/** Time that moves from one timer to the next. */
export function steppedClock(): Clock & { next(): boolean } {
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    bootMs: () => nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run };
      const later = timers.findIndex(({ atMs }) => atMs > timer.atMs);
      timers.splice(later < 0 ? timers.length : later, 0, timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
    next() {
      const timer = timers.shift();
      if (timer === undefined) return false;
      nowMs = timer.atMs;
      timer.run();
      return true;
    },
  };
}

/** The same numbers from the same seed. */
export function seeded(seed: number): Random {
  let state = seed;
  let ids = 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    id: () => `id-${++ids}`,
  };
}
