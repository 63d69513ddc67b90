import { exactlyOnceCounter } from '../checkers/exactly-once-counter.ts';
import type { CounterOp, CounterResult } from '../checkers/models.ts';
import { askedWork } from './asked.ts';
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

/** Of C8: what is repeated under one request id counts once. */
export const counter = askedWork<CounterOp, CounterResult>({
  name: 'counter',
  about: 'additions that are repeated under one request id when nobody answers, each counted exactly once',
  type: 'counter',
  promise: 'C8',
  by: 'exactly-once counter',
  drive: counterWorkload,
  final: { type: 'get' },
  judge: (operations, finals) => exactlyOnceCounter(operations, new Map([...finals].map(([key, { value }]) => [key, value]))),
});
