import { NexaError, toNexaError } from '../../errors.ts';

/** Whatever was thrown as a NexaError, even what cannot be turned into text. */
export function errorOf(thrown: unknown, where: Readonly<Record<string, string>>): NexaError {
  try {
    return toNexaError(thrown, 'crashed', where);
  } catch {
    return new NexaError('crashed', 'something that has no text was thrown', { where });
  }
}

export function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';
}
