import { NexaError, toNexaError } from '../../src/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** The waits of a drill: each ends with the drill, and none is without a bound. */
export interface Waits {
  readonly signal: AbortSignal;
  /** @throws what the drill was given up with. */
  wait(ms: number): Promise<void>;
  /** Until it holds, looked at every `everyMs` (default 250); false: it did not within `ms`. @throws as `wait`. */
  until(ms: number, holds: () => boolean | Promise<boolean>, everyMs?: number): Promise<boolean>;
  /** @throws NexaError `ask-timeout` naming `what` when it takes longer; as `wait`. */
  within<T>(ms: number, what: string, promise: Promise<T>): Promise<T>;
}

const LOOK_MS = 250;

export function waitsOn(clock: Clock, signal: AbortSignal): Waits {
  const givenUp = (): NexaError => toNexaError(signal.reason, 'cancelled');
  const waiting = new Set<() => void>();
  signal.addEventListener('abort', () => {
    for (const onAbort of [...waiting]) onAbort();
  });
  const within = <T>(ms: number, what: string, promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const give = (end: () => void): void => {
        cancel();
        waiting.delete(onAbort);
        end();
      };
      const onAbort = (): void => give(() => reject(givenUp()));
      const cancel = clock.after(ms, () => give(() => reject(new NexaError('ask-timeout', `${what} took more than ${ms} ms`))));
      waiting.add(onAbort);
      promise.then(
        (value) => give(() => resolve(value)),
        (error) => give(() => reject(error)),
      );
      if (signal.aborted) onAbort();
    });
  const wait = async (ms: number): Promise<void> => {
    let cancel = (): void => undefined;
    const slept = new Promise<void>((resolve) => {
      cancel = clock.after(ms, resolve);
    });
    try {
      await within(ms + LOOK_MS, 'a wait', slept);
    } finally {
      cancel();
    }
  };
  return {
    signal,
    wait,
    within,
    until: async (ms, holds, everyMs = LOOK_MS) => {
      const untilMs = clock.monotonicMs() + ms;
      for (;;) {
        if (await within(ms + LOOK_MS, 'a look', Promise.resolve(holds()))) return true;
        const leftMs = untilMs - clock.monotonicMs();
        if (leftMs <= 0) return false;
        await wait(Math.min(everyMs, leftMs));
      }
    },
  };
}
