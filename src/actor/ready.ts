import { NexaError } from '../errors.ts';
import { onAbort } from '../ports/on-abort.ts';
import type { Cell } from './cell/cell.ts';
import type { System } from './system.ts';

const MOST_WAITERS = 10_000;

/** Resolves when the mailbox of this cell is below its high-water mark. */
export function waitUntilReady(
  system: System,
  cell: Cell,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { timeoutMs, signal } = options;
  const failed = (code: 'cancelled' | 'ask-timeout' | 'no-such-actor' | 'overloaded', message: string) =>
    Promise.reject(new NexaError(code, message, { where: cell.where }));
  if (signal?.aborted) return failed('cancelled', 'waiting for room was given up');
  if (cell.wantsStop) return failed('no-such-actor', 'this actor is over');
  if (!cell.mailbox.high) return Promise.resolve();
  if (!(timeoutMs > 0)) return failed('ask-timeout', 'the mailbox has no room');
  if (cell.mailbox.waiters >= MOST_WAITERS) return failed('overloaded', 'too many producers wait for this mailbox');
  return new Promise((resolve, reject) => {
    const settle = (error?: NexaError) => {
      forget();
      disarm();
      unhear?.();
      if (error === undefined) resolve();
      else reject(error);
    };
    const forget = cell.mailbox.whenLow(() =>
      settle(cell.wantsStop ? new NexaError('no-such-actor', 'this actor is over', { where: cell.where }) : undefined),
    );
    const disarm = system.clock.after(timeoutMs, () =>
      settle(new NexaError('ask-timeout', 'the mailbox had no room in time', { where: cell.where })),
    );
    const unhear =
      signal && onAbort(signal, () => settle(new NexaError('cancelled', 'waiting for room was given up', { where: cell.where })));
  });
}
