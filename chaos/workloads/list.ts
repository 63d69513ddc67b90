import type { ListOp, ListResult } from '../checkers/append-list.ts';
import { drive, type WorkloadOptions } from './drive.ts';

/** Appends of values that nobody else appends, and reads, on one list per key: what nobody knows is repeated under its request id. */
export function listWorkload(options: WorkloadOptions<ListOp, ListResult>): Promise<void> {
  let appended = 0;
  return drive({
    ...options,
    retries: 3,
    next: (random): ListOp => (random.next() < 0.7 ? { type: 'append', value: ++appended } : { type: 'read' }),
  });
}
