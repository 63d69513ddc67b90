import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../src/ports/clock.ts';
import { hold } from './hold.ts';
import type { LauncherOrders } from './launcher-orders.ts';

/** The process of a worker as it is now; undefined between two of them. */
export interface OrderedWorker {
  readonly child: ChildProcess | undefined;
  /** Lets its process go on that was held by an order. */
  release: () => void;
}

/** Carries out orders on whichever process the worker has. */
export const ordersTo = (worker: OrderedWorker, clock: Clock): LauncherOrders => ({
  kill: () => {
    killGroup(worker.child);
    return worker.child !== undefined;
  },
  // Only the node's own process: the programs of its agents go on, as when its event loop hangs.
  pause: (forMs) => {
    worker.release();
    if (worker.child === undefined) return false;
    worker.release = hold(worker.child, forMs, clock);
    return true;
  },
  resume: () => {
    worker.release();
    return worker.child !== undefined;
  },
});

/** SIGKILL to a process and whoever is in its group. */
export function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty: everybody in it has ended.
  }
}
