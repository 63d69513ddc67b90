import { NexaError, toNexaError } from '../../errors.ts';

/** Whatever was thrown as a NexaError, even what cannot be turned into text. */
export function errorOf(thrown: unknown, where: Readonly<Record<string, string>>): NexaError {
  try {
    return toNexaError(thrown, 'crashed', where);
  } catch {
    return new NexaError('crashed', 'something that has no text was thrown', { where });
  }
}

/** What a handler returned as a promise, if it is one. Throws what a bad thenable throws. */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  if (typeof value !== 'object' || value === null || typeof (value as { readonly then?: unknown }).then !== 'function') return undefined;
  return Promise.resolve(value);
}

/** The `type` of a message for a report, whatever the message is; empty for what is none. */
export function typeOf(message: unknown): string {
  try {
    const type = (message as { readonly type?: unknown } | null | undefined)?.type;
    return typeof type === 'string' ? type.slice(0, 128) : '';
  } catch {
    return '';
  }
}
