/**
 * What the local workloads need of an implementation of actors, each used as its users use it. Handlers are given as source text where
 * a workload must not let the driver's own functions stand between a handler and the implementation: nothing is then inlined for one of
 * them that is not for the others.
 */
export interface Actors {
  /** A handler that takes each message, sends with `send`, and answers what it returns if it was asked. */
  spawn(handler: (self: Ref, message: Message) => unknown, name?: string): Ref;
  ask(ref: Ref, message: Message): Promise<unknown>;
  stop(ref: Ref): Promise<void> | void;
  end(): Promise<void>;
  /**
   * A supervisor with its workers below it, by the sources of their handlers: bodies of `(refs, counter, dispatch) => handler`; all are
   * put into `refs` by the next turn of the loop.
   */
  spawnFamily(sources: readonly string[], scope: { readonly refs: unknown[]; readonly counter: object }): void;
  tellRaw(ref: unknown, message: Message): void;
  /** How a source sends MESSAGE to REF. */
  readonly send: string;
}
export interface Ref {
  tell(message: Message): void;
}
export interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}
export type MakeActors = () => Actors;
