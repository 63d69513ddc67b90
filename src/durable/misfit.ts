import { NexaError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { JournalPlace } from './journal-place.ts';

/** An isolated leader was seen to answer stale reads for 16 s: what does not join is not believed earlier than this. */
const PATIENCE_MS = 20_000;

/**
 * What was read does not join. It may be a read that lags, or the owner before us purged while we read: so it is read again for a
 * while before it is believed.
 */
export class Misfit extends NexaError {
  constructor(problem: string, where: Readonly<Record<string, string>>, fix?: string) {
    super('corrupt-record', problem, { where, ...(fix === undefined ? {} : { fix }) });
  }
}

/** Repeats what ends in a {@link Misfit} until it is certain that no read was late. */
export async function patiently<T>(place: JournalPlace, attempt: () => Promise<T>): Promise<T> {
  const { clock } = place.access;
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  const backOff = new BackOff(place.access);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Misfit) || clock.monotonicMs() >= untilMs) throw error;
    }
    await backOff.pause();
    place.requireLife();
  }
}
