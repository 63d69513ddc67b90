import { NexaError, toNexaError } from '../../errors.ts';
import type { Written } from '../../ports/stores.ts';
import { BackOff } from '../back-off.ts';
import type { BackupParts } from './places.ts';

/** One operation, repeats included: longer than an election of the store. */
const PATIENCE_MS = 30_000;

/** Operations of a store that outlast its elections. What is refused for good is thrown at once. */
export interface Persistent {
  /** @throws NexaError `unavailable` when nothing came of it in time. */
  read<T>(what: string, run: () => Promise<T>): Promise<T>;
  /**
   * Repeats what is unknown. `find` says whether it is there after all: true, it is; false, something else is.
   * @throws NexaError `conflict` for something else, `unavailable` (indefinite).
   */
  write(what: string, run: () => Promise<Written>, find: () => Promise<boolean | undefined>): Promise<void>;
}

export function persistent({ clock, random }: Pick<BackupParts, 'clock' | 'random'>): Persistent {
  const again = async <T>(what: string, definite: boolean, run: () => Promise<{ readonly value: T } | undefined>): Promise<T> => {
    const untilMs = clock.monotonicMs() + PATIENCE_MS;
    const backOff = new BackOff({ clock, random });
    let last: unknown;
    for (;;) {
      try {
        const found = await run();
        if (found !== undefined) return found.value;
      } catch (error) {
        if (!(error instanceof NexaError) || !error.retryable) throw error;
        last = error;
      }
      if (clock.monotonicMs() > untilMs) {
        throw new NexaError('unavailable', `the store did not ${what} within ${PATIENCE_MS} ms`, {
          definite,
          cause: last,
          where: { last: last === undefined ? 'its answer was unknown' : toNexaError(last, 'internal').message.slice(0, 200) },
          fix: 'See `nexa doctor`, then start it again.',
        });
      }
      await backOff.pause();
    }
  };
  return {
    read: (what, run) => again(what, true, async () => ({ value: await run() })),
    write: (what, run, find) =>
      again(what, false, async () => {
        if ((await run()).written === 'yes') return { value: undefined };
        const found = await find();
        if (found === false)
          throw new NexaError('conflict', `could not ${what}: something else is there`, {
            definite: false,
            fix: 'Restore into a cluster that nobody uses: choose another --cluster name.',
          });
        return found === true ? { value: undefined } : undefined;
      }),
  };
}
