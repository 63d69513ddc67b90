import type { CounterOp, CounterResult } from '../checkers/models.ts';
import { drive, type WorkloadOptions } from './drive.ts';

/**
 * Additions of 1 … 5 and reads on one counter per key, for the exactly-once checker: a call whose outcome nobody knows is
 * repeated up to three times under its request id, which has to have one effect.
 */
export function counterWorkload(options: WorkloadOptions<CounterOp, CounterResult>): Promise<void> {
  return drive({
    ...options,
    retries: 3,
    next: (random): CounterOp => (random.next() < 0.8 ? { type: 'add', by: 1 + Math.floor(random.next() * 5) } : { type: 'get' }),
  });
}
