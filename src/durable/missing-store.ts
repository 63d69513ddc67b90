import { NexaError } from '../errors.ts';

/** A server that lags may not know of a store: so many answers in a row, with the waits between them, say that it is not there. */
const ANSWERS = 6;

/** What to do about one; its agents, or its states, begin anew with an empty one. */
export const MISSING_STORE_FIX = 'Restore a backup, or run `nexa doctor --repair`, which creates it empty.';

/** Counts answers that a store is not there, so that whoever would wait for it for ever hears of it instead. */
export class MissingStore {
  #answers = 0;

  /** What came of one more read that failed. @throws NexaError `store-misconfigured` once it is certain. */
  heard(error: unknown): void {
    const certain = this.known(error);
    if (certain !== undefined) throw certain;
  }
  /** A read that did not fail. */
  there(): void {
    this.#answers = 0;
  }
  /** As {@link heard}, but answers it: undefined as long as it is not certain. */
  known(error: unknown): NexaError | undefined {
    const missing = error instanceof NexaError && error.where.missing === 'true';
    this.#answers = missing ? this.#answers + 1 : 0;
    if (!missing || this.#answers < ANSWERS) return undefined;
    const { store = '' } = error.where;
    return new NexaError('store-misconfigured', `the store ${store} is missing`, {
      where: { store },
      fix: MISSING_STORE_FIX,
      definite: false,
      cause: error,
    });
  }
}
