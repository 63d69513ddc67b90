import { NexaError } from '../errors.ts';
import { encodeId, type NodeId } from './address.ts';
import type { ActorRef, Cancel } from './ref.ts';

declare const takes: unique symbol;

/** The name of a service, and what whoever offers it takes. Equal names are one service: the type is the word of who made the key. */
export interface ServiceKey<in out M> {
  readonly name: string;
  readonly [takes]?: (message: M) => M;
}

/** Names of services that the runtime keeps for itself begin so. */
export const OWN_SERVICE = '$';

/** @throws NexaError `bad-id` for a name that is empty, begins with `$`, or has more than 255 characters once encoded. */
export function serviceKey<M>(name: string): ServiceKey<M> {
  encodeId(name);
  if (!name.startsWith(OWN_SERVICE)) return { name };
  throw new NexaError('bad-id', 'names of services that begin with $ are kept for the runtime', {
    where: { service: name.slice(0, 128) },
    fix: 'Choose a name that begins otherwise.',
  });
}

/** One entry of a listing: somebody who offers a service, as far as this node knows at this instant. */
export interface Service<in M> {
  readonly key: string;
  /** Unique among those of one key. */
  readonly instance: string;
  readonly ref: ActorRef<M>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Where it lives; undefined for a named agent, which may be anywhere. */
  readonly node: NodeId | undefined;
  /** By the wall clock of the node that registered it. */
  readonly registeredAtMs: number;
}
/** Those that have all of this. */
export interface ServiceFilter {
  /** Fields that have to be equal, as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly node?: NodeId;
}
export interface RegisterOptions {
  /** Default: made of the address, so that one actor is registered once per key. 1 … 255 characters once encoded. */
  readonly instance?: string;
  /** Plain JSON of at most 4,096 bytes. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default 5,000. */
  readonly timeoutMs?: number;
}
export interface Registration {
  readonly key: string;
  readonly instance: string;
}

/** Who offers a service, as a router takes it: those of now, and each later list. */
export interface Routees<in M> {
  current(): readonly ActorRef<M>[];
  /** Called after a change, with all of them. */
  onChange(listener: (routees: readonly ActorRef<M>[]) => void): Cancel;
}

interface Directory {
  /**
   * Lists an actor or an agent under a key, cluster-wide, until it ends, its node is gone, or it is deregistered. Resolves when that
   * is stored; a repeat changes the metadata and nothing else. An agent's entry follows its moves.
   * @throws NexaError `bad-id`, `not-encodable`, `quota-exceeded` (metadata, or 100,000 entries), `no-such-actor`, `conflict` (the instance is
   *   somebody else's who lives), `unavailable`: indefinite if the outcome of the write is not known; repeating it is harmless.
   */
  register<M>(key: ServiceKey<M>, ref: ActorRef<M>, options?: RegisterOptions): Promise<Registration>;
  /** What is not there (any more) is no error. @throws NexaError `unavailable`. */
  deregister<M>(key: ServiceKey<M>, who: ActorRef<M> | string, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** By instance. A hint: somebody in it may have ended a moment ago, and somebody new may be missing. */
  find<M>(key: ServiceKey<M>, filter?: ServiceFilter): readonly Service<M>[];
  /** For a router. */
  routees<M>(key: ServiceKey<M>, filter?: ServiceFilter): Routees<M>;
}

/** Who offers what in the cluster: services by key. What it shows is a hint, what it stores is not. */
export interface Receptionist extends Directory {
  /** The listing of now soon after the call, and each later one; changes within 20 ms come as one. */
  subscribe<M>(key: ServiceKey<M>, listener: (services: readonly Service<M>[]) => void): Cancel;
}
/** As an actor holds it: listings come as its own messages, and end with its incarnation. */
export interface OwnReceptionist<in Own> extends Directory {
  subscribe<M>(key: ServiceKey<M>, toMessage: (services: readonly Service<M>[]) => Own): Cancel;
}
