import type { Behavior } from './behavior.ts';
import type { Context } from './context.ts';
import type { Strategy } from './strategy.ts';

/** A recipe. `behavior` runs at every start and restart; what it closes over outside must be immutable. */
export interface Props<in out M> {
  readonly behavior: (context: Context<M>) => Behavior<M>;
  readonly mailbox?: MailboxOptions;
  readonly receiveTimeoutMs?: number;
  /** For its children. Default: oneForOne({ maxRestarts: 5, withinMs: 60_000 }). */
  readonly strategy?: Strategy;
}
export interface MailboxOptions {
  /** Default 1,000. */
  readonly limit?: number;
  /** Estimated bytes; default 8 MiB. */
  readonly limitBytes?: number;
  readonly overflow?: 'reject' | 'drop-oldest' | 'drop-newest';
}
