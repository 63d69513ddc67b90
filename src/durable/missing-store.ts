import { NexaError } from '../errors.ts';

/** A server that lags may not know of a store: so many answers in a row, with the waits between them, say that it is not there. */
const ANSWERS = 6;

/** Counts answers that a store is not there, so that whoever would wait for it for ever hears of it instead. */
export class MissingStore {
  #answers = 0;

  /** What came of one more read that failed. @throws NexaError `store-misconfigured` once it is certain. */
  heard(error: unknown): void {
    const missing = error instanceof NexaError && error.where.missing === 'true';
    this.#answers = missing ? this.#answers + 1 : 0;
    if (!missing || this.#answers < ANSWERS) return;
    const { store = '' } = error.where;
    throw new NexaError('store-misconfigured', `the store ${store} is missing`, {
      where: { store },
      fix: 'Restore it from a backup; see `nexa doctor`.',
      definite: false,
      cause: error,
    });
  }
}
