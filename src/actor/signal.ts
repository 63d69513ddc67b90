import type { NexaError } from '../errors.ts';
import type { AnyRef } from './ref.ts';

export type Signal =
  | { readonly signal: 'started' | 'restarting' | 'stopping' | 'passivating' }
  | Terminated
  /** Sent after `receiveTimeoutMs` of Props without a user message. */
  | { readonly signal: 'idle' };
export interface Terminated {
  readonly signal: 'terminated';
  readonly ref: AnyRef;
  /** `unknown`: it ended longer ago than the node remembers. `node-lost` only when that incarnation is recorded gone. */
  readonly reason: 'stopped' | 'failed' | 'node-lost' | 'unknown';
}

/** The result of work done outside the actor. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: NexaError };
