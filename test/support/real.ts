import { randomBytes } from 'node:crypto';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Subject } from '../../src/ports/transport.ts';

/** The process's own time, for tests that talk to real servers. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export const realRandom: Random = { next: () => Math.random(), id: () => randomBytes(16).toString('base64url') };

/** Keeps what was logged as error, for a test that wants none. */
export function recordingLogger(): Logger & { readonly errors: object[] } {
  const errors: object[] = [];
  const log: Logger & { readonly errors: object[] } = {
    errors,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields) => void errors.push(fields),
    child: () => log,
  };
  return log;
}

export const subject = (text: string): Subject => text as Subject;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

/** Resolves as soon as the condition holds; rejects with its last state after a bound, which is for what hangs, not for what is slow. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 20_000,
  state: () => unknown = () => '',
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(state())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
