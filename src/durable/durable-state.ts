import type { Kept } from './kept.ts';
import type { Turn } from './turn.ts';

/**
 * The durable side of one activation, opened with its fence: from then on the store refuses every write of an older epoch, whatever
 * its owner's clock, pause or partition did (C3).
 */
export interface DurableState {
  readonly state: unknown;
  readonly kept: Kept;
  /**
   * Resolves once the turn is stored, all of it in one record. One at a time: its caller holds the actor meanwhile.
   * @throws NexaError `fenced`: somebody else wrote after us, or the activation is over; `quota-exceeded`, `payload-too-large`: the
   *   store refused it for good, and nothing was stored; `store-misconfigured`: the store is missing, and the activation is over.
   */
  commit(turn: Turn): Promise<void>;
}
