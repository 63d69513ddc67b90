import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

/** At most so many at a time, in order; a bounded queue before it. */
export interface Gate {
  /** Answers `undefined` when the deadline came before the turn: then `work` never ran. @throws NexaError `overloaded` */
  pass<T>(timeoutMs: number, work: (leftMs: number) => Promise<T>, bytes?: number): Promise<T | undefined>;
}

export function gate(
  clock: Clock,
  options: { readonly inFlight: number; readonly queued: number; readonly queuedBytes: number; readonly what: string },
): Gate {
  const waiting = new Set<(mayGo: boolean) => void>();
  let inFlight = 0;
  let queuedBytes = 0;

  const turn = (timeoutMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const go = (mayGo: boolean): void => {
        cancel();
        waiting.delete(go);
        resolve(mayGo);
      };
      const cancel = clock.after(timeoutMs, () => go(false));
      waiting.add(go);
    });

  return {
    pass: async (timeoutMs, work, bytes = 0) => {
      const sinceMs = clock.monotonicMs();
      if (inFlight < options.inFlight) inFlight++;
      else {
        if (waiting.size >= options.queued || queuedBytes + bytes > options.queuedBytes)
          throw new NexaError('overloaded', `${waiting.size} ${options.what} of ${queuedBytes} bytes wait already`);
        queuedBytes += bytes;
        const mayGo = await turn(timeoutMs);
        queuedBytes -= bytes;
        if (!mayGo) return undefined;
      }
      try {
        return await work(timeoutMs - (clock.monotonicMs() - sinceMs));
      } finally {
        // The place is handed on, so that nobody overtakes the queue.
        const [next] = waiting;
        if (next === undefined) inFlight--;
        else next(true);
      }
    },
  };
}
