import type { Answer } from './bare.ts';
import { eventually } from './support.ts';

/** What an election, a failover or a node that nobody has heard of yet may take. */
const WITHIN_MS = 60_000;

/**
 * Asks again while the answer is one that a caller may hear in between and is to repeat: `unavailable`, an outcome that the store did
 * not know, nobody there yet. Any other refusal is thrown at once. For what may be done twice: it has a request id or a spawn id,
 * names its agent, or only reads.
 */
export async function granted(ask: () => Promise<Answer>): Promise<Extract<Answer, { readonly ok: true }>> {
  let last: Answer | undefined;
  try {
    return await eventually('it is granted', WITHIN_MS, async () => {
      last = await ask();
      if (last.ok) return last;
      const { code, retryable } = last.error;
      if (retryable !== true && code !== 'timeout' && code !== 'no-responders') throw new Error('it was refused for good');
      return undefined;
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}; the last answer: ${JSON.stringify(last)}`);
  }
}
