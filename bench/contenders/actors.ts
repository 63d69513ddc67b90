/** What the local workloads need of an implementation of actors, each used as its users use it. */
export interface Actors {
  /** A handler that takes each message and, if it was asked, answers what it returns. */
  spawn(handler: (self: Ref, message: Message) => unknown, name?: string): Ref | Promise<Ref>;
  end(): Promise<void>;
}
export interface Asked {
  /** With a timeout of 5 s. */
  ask(ref: Ref, message: Message): Promise<unknown>;
}
export interface Stopped {
  /** Of actors that only say what happens to them. */
  spawner(took: () => void, ended: () => void): (name: string) => unknown;
  tellRaw(actor: unknown, message: Message): void;
  stop(actor: unknown): void;
}
export interface Restarted {
  /** An actor that counts its messages since it last started. It throws at `crash`, is restarted at once; others go to the handler. */
  spawnCrashing(handler: (handled: number) => void, thrown: () => Error): Ref | Promise<Ref>;
}
/**
 * Trees of actors whose handlers are given as source text, so that the driver's own functions do not stand between a handler and the
 * implementation: nothing is then inlined for one of them that is not for the others.
 */
export interface Families {
  /**
   * A supervisor with its workers below it, by the sources of their handlers: bodies of `(refs, hits, dispatch) => handler`. In that
   * order they are added to `refs`, which all of them share.
   */
  spawnFamily(sources: readonly string[], refs: unknown[], hits: object): Promise<void>;
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
