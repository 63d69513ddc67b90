import type { Clock } from './clock.ts';

/** The promise's own outcome, or a rejection with `late()` once `ms` have passed. What it goes on doing is its own affair. */
export function inTime<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    promise.then(resolve, reject).finally(cancel);
  });
}
