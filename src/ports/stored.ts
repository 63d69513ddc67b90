import { NexaError, toNexaError } from '../errors.ts';

/** Where a record lies. */
export interface StoredAt {
  /** `AGENTS`, `STATE` … */
  readonly store: string;
  readonly key: string;
  readonly revision?: number;
}

/** Reads a record; whatever is wrong with it is told with the place where it lies, and what to do about it. */
export function readStored<T>({ store, key, revision }: StoredAt, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    const error = toNexaError(thrown, 'corrupt-record');
    const fix =
      error.code === 'unknown-version'
        ? 'Update this node: a later release wrote it.'
        : `Restore it from a backup, or delete it from the bucket ${store}; nothing else is affected.`;
    throw new NexaError(error.code, error.message, {
      where: { ...error.where, store, key, ...(revision === undefined ? {} : { revision: String(revision) }) },
      fix: error.fix ?? fix,
      cause: error,
    });
  }
}

/** Nobody will read it better by trying again. */
export const isUnreadable = (error: unknown): error is NexaError =>
  error instanceof NexaError && (error.code === 'corrupt-record' || error.code === 'unknown-version');
