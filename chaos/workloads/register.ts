import { Refused } from '../../src/errors.ts';
import { linearizable } from '../checkers/linearizable.ts';
import { type RegisterOp, type RegisterResult, registerModel } from '../checkers/models.ts';
import { askedWork } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';

/**
 * W1: reads, writes and compare-and-sets on one register per key, for the linearizability checker. Every written value is new to
 * its key, so an answer names the write it saw; half of the compare-and-sets expect the value that was answered last. The
 * agent's declared refusal `mismatch` is an answer, not an error. Nothing is repeated.
 */
export function registerWorkload(options: WorkloadOptions<RegisterOp, RegisterResult>): Promise<void> {
  let written = 0;
  return drive({
    ...options,
    retries: 0,
    ask: (key, op, ask) =>
      options.ask(key, op, ask).catch((thrown: unknown) => {
        if (thrown instanceof Refused && thrown.refusal === 'mismatch')
          return { mismatch: (thrown.details as { readonly value: unknown }).value };
        throw thrown;
      }),
    next: (random, _key, seen): RegisterOp => {
      const roll = random.next();
      if (roll < 0.4) return { type: 'read' };
      const value = ++written;
      if (roll < 0.7) return { type: 'write', value };
      const last = seen === undefined ? null : 'value' in seen ? seen.value : seen.mismatch;
      return { type: 'cas', from: random.next() < 0.5 ? last : Math.floor(random.next() * value), to: value };
    },
  });
}

/** W1. */
export const register = askedWork<RegisterOp, RegisterResult>({
  name: 'register',
  about: 'reads, writes and compare-and-sets of one register per agent, in an order that explains all answers',
  type: 'register',
  promise: 'C3',
  by: 'linearizable',
  drive: registerWorkload,
  final: { type: 'read' },
  judge: (operations) => linearizable(registerModel, operations),
});
