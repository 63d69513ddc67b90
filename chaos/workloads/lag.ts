import type { Clock } from '../../src/ports/clock.ts';

const LOOK_MS = 100;

/** How late the timers of this process were at most: so much later than its deadline an outcome may be seen, through no fault of the cluster. */
export function lagMeter(clock: Pick<Clock, 'monotonicMs' | 'after'>): { readonly mostMs: number; stop(): void } {
  let mostMs = 0;
  let cancel: () => void = () => undefined;
  const look = (): void => {
    const dueMs = clock.monotonicMs() + LOOK_MS;
    cancel = clock.after(LOOK_MS, () => {
      mostMs = Math.max(mostMs, clock.monotonicMs() - dueMs);
      look();
    });
  };
  look();
  return {
    get mostMs() {
      return mostMs;
    },
    stop: () => cancel(),
  };
}
