import type { Context } from './context.ts';
import type { Signal } from './signal.ts';

export declare const stopped: unique symbol;
/** What the actor is after this message: another behaviour, `stopped`, or (nothing returned) the same. */
export type Next<M> = Behavior<M> | typeof stopped | undefined | void;

/** How an actor handles its messages. Invariant in `M`: it both receives M and tells M to itself. */
export interface Behavior<in out M> {
  /** One at a time; a promise holds the actor until it settles (M1). Throwing is a crash: the parent decides. */
  readonly receive: (context: Context<M>, message: M) => Next<M> | Promise<Next<M>>;
  readonly signal?: (context: Context<M>, signal: Signal) => Next<M> | Promise<Next<M>>;
}
export declare function receive<M>(handler: Behavior<M>['receive'], onSignal?: Behavior<M>['signal']): Behavior<M>;
/** The `default:` of an exhaustive switch: a compile error when a case is missing, a crash if it is reached. */
export declare function unhandled(message: never): never;
