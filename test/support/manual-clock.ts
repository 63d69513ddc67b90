import { virtualClock } from '../../src/memory/virtual-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

const ROUNDS = 32;

/** The virtual clock with the microtasks drained between its timers, for what is written with promises. */
export function manualClock(): Clock & { advance(ms: number): Promise<void> } {
  const clock = virtualClock();
  const settle = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) await Promise.resolve();
  };
  return {
    monotonicMs: clock.monotonicMs,
    wallMs: clock.wallMs,
    bootMs: clock.bootMs,
    after: clock.after,
    advance: async (ms) => {
      const endMs = clock.monotonicMs() + ms;
      await settle();
      while (clock.step(endMs - clock.monotonicMs())) await settle();
      clock.advance(endMs - clock.monotonicMs());
    },
  };
}
