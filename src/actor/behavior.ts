import { NexaError } from '../errors.ts';
import type { Context } from './context.ts';
import type { Signal } from './signal.ts';

/** Return it from a handler: the actor stops after this message. */
export const stopped: unique symbol = Symbol('nexa.stopped');
/** What the actor is after this message: another behaviour, `stopped`, or (nothing returned) the same. */
export type Next<M> = Behavior<M> | typeof stopped | undefined | void;

/**
 * How an actor handles its messages. Invariant in `M`: it both receives M and tells M to itself.
 * An ask whose handler returns without having answered, deferred or stashed it resolves with `undefined`.
 */
export interface Behavior<in out M> {
  /** One at a time; a promise holds the actor until it settles (M1). Throwing is a crash: the parent decides. */
  readonly receive: (context: Context<M>, message: M) => Next<M> | Promise<Next<M>>;
  readonly signal?: (context: Context<M>, signal: Signal) => Next<M> | Promise<Next<M>>;
}

/** A behaviour from its handlers. */
export function receive<M>(handler: Behavior<M>['receive'], onSignal?: Behavior<M>['signal']): Behavior<M> {
  return onSignal === undefined ? { receive: handler } : { receive: handler, signal: onSignal };
}

/** The `default:` of an exhaustive switch: a compile error when a case is missing, a crash if it is reached. */
export function unhandled(message: never): never {
  const type = (message as { readonly type?: unknown } | null | undefined)?.type;
  throw new NexaError('unknown-command', `nothing handles a message of type ${JSON.stringify(type) ?? 'undefined'}`.slice(0, 300));
}
