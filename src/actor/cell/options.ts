import type { NexaError } from '../../errors.ts';
import type { Address } from '../address.ts';
import type { Gate } from '../elsewhere.ts';

/** What the runtime may ask of a cell beyond Props. Children take over the gate: they act for the same activation. */
export interface CellOptions {
  /** No user turn is taken and no effect leaves while it is closed. */
  readonly gate?: Gate | undefined;
  /** The address that `self` shows and that its messages come from. Default: the cell's own. */
  readonly face?: Address;
  /** Called instead of escalating when the supervisor gives this child up, which then ends as `failed`. */
  onGiveUp?(error: NexaError): void;
  /** How long a handler that does not settle may hold up a stop or a restart. Default: the system's. */
  readonly stopTimeoutMs?: number;
  /** A turn that takes longer is reported, also one that never waits. Default: the system's, of turns that wait. */
  readonly handlerMs?: number;
}
