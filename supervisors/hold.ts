import type { ChildProcess } from 'node:child_process';
import { killWithUs } from '../src/nats-server/guard.ts';
import type { Clock } from '../src/ports/clock.ts';

/** So long a node may be held at most: an agent of it is elsewhere long before. */
export const LONGEST_HOLD_MS = 60_000;

/**
 * Stops a process (SIGSTOP) and lets it go on after `forMs`, whatever becomes of whoever wanted it: by this process's clock, or by a
 * guard at once if this process ends before. The result lets it go on now.
 */
export function hold(child: ChildProcess, forMs: number, clock: Clock): () => void {
  if (child.pid === undefined) return () => {};
  // Before the stop: from then on somebody has to be there who ends it.
  const dismiss = killWithUs(child.pid, 'CONT');
  child.kill('SIGSTOP');
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    cancel();
    // Of a process that has ended this is nothing.
    child.kill('SIGCONT');
    dismiss();
  };
  const cancel = clock.after(forMs, release);
  child.once('exit', release);
  return () => {
    child.off('exit', release);
    release();
  };
}
