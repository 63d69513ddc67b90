import type { Address } from './address.ts';

/** One message on its way, local or not. On the wire: a fixed-position array. */
export interface Envelope {
  readonly to: Address;
  readonly message: unknown;
  readonly replyTo?: Address;
  readonly from?: Address;
  /** Of the sending activation. */
  readonly epoch?: number;
  /** The asks this one is part of, at most 16: a cycle is refused. */
  readonly chain?: readonly string[];
  readonly requestId?: string;
  /** Left of the sender's budget when it was sent; a receiver counts on its own clock. */
  readonly budgetMs?: number;
  readonly traceparent?: string;
}
