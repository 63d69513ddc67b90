import type { NexaError } from '../errors.ts';
import type { Address } from './address.ts';
import type { ItemOf, ReplyOf, RequestsOf, StreamsOf, TypeOf } from './message.ts';

/** Ends what was started; idempotent; after it returned nothing more is delivered, not even what was already queued. */
export type Cancel = () => void;

export interface AskOptions {
  /** Total budget, retries included. An ask made while handling an ask never outlives the outer deadline. */
  readonly timeoutMs: number;
  /** Gives the ask up: rejects with `cancelled`, and the target skips the message if it has not begun it. */
  readonly signal?: AbortSignal;
  /**
   * A durable agent handles one id once; a repeat is answered with the stored reply. It remembers the last 256 ids with their replies
   * (bounded in bytes) inside its own record, so that remembering is as durable as the effect. Without an id nothing is remembered: nobody
   * could repeat it. 1 … 64 bytes.
   */
  readonly requestId?: string;
  /** W3C trace context of whoever asks. Default: that of the message being handled, which everything sent meanwhile carries on. */
  readonly traceparent?: string;
}

export interface StreamOptions {
  /** Longest silence of the producer while an item is waited for: above 0, at most 24 days. */
  readonly idleTimeoutMs: number;
  /** Items in flight before the producer waits (1 … 1,024). Default 16. */
  readonly window?: number;
  /** Ends the stream: what waits rejects with `cancelled`, and the producer is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * The only way to reach an actor, here or elsewhere. Serialisable: it may travel inside any message (`toJSON`, msgpack ext) and
 * is live again on arrival. Contravariant: an `ActorRef<A | B>` is an `ActorRef<A>`.
 */
export interface ActorRef<in M> {
  readonly address: Address;
  /**
   * At most once, never throws for a bad target (that is a dead letter). `false` is a hint, as with Node's `stream.write`:
   * the message was accepted, but the way is over its high-water mark; a producer then awaits {@link ready}.
   * @throws NexaError `payload-too-large`, `not-encodable`: at the sender, before anything was sent.
   */
  tell(message: M): boolean;
  /**
   * Exactly one outcome inside the deadline (M3).
   * @throws NexaError `ask-timeout`, `no-such-actor`, `mailbox-full`, `node-lost`, `unavailable`, `overloaded`, `cancelled`,
   *   `crashed`, `invalid-message`, or {@link Refused} with a refusal that the command declares.
   */
  ask<This extends AnyRef, T extends TypeOf<RequestsOf<Accepts<This>>>>(
    this: This,
    message: { readonly type: T } & Extract<RequestsOf<Accepts<This>>, { readonly type: T }>,
    options: AskOptions,
  ): Promise<ReplyOf<Extract<RequestsOf<Accepts<This>>, { readonly type: T }>>>;
  /**
   * Pull-based: leaving the loop, or the signal, cancels at the producer. The message is sent when the first item is asked for; the
   * items can be read once. What goes wrong, also before the first item, is thrown where the next item is asked for.
   * @throws NexaError what `ask` throws, `stream-broken` when items are missing or the producer has ended without an end, `ask-timeout`
   *   after `idleTimeoutMs` of silence, `node-lost` when the producer's node is recorded gone.
   */
  stream<This extends AnyRef, T extends TypeOf<StreamsOf<Accepts<This>>>>(
    this: This,
    message: { readonly type: T } & Extract<StreamsOf<Accepts<This>>, { readonly type: T }>,
    options: StreamOptions,
  ): AsyncIterable<ItemOf<Extract<StreamsOf<Accepts<This>>, { readonly type: T }>>>;
  /** Resolves when `tell` would answer true again. @throws NexaError `cancelled`, `node-lost`, `no-such-actor`, `overloaded`, `ask-timeout`. */
  ready(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /** The text form of the address; what `JSON.stringify` writes. */
  toJSON(): string;
}
/** Any ref, for `watch`, `stop` and tables: nothing can be told to it. */
export type AnyRef = ActorRef<never>;
/** The messages a ref takes. `ask` and `stream` look it up through `this`: mentioning M in a conditional would break `in M`. */
export type Accepts<Ref extends AnyRef> = Ref extends ActorRef<infer M> ? M : never;

/** One ask's way back. Takes one answer; a second one, or one after the deadline, is a counted dead letter. */
export interface ReplyTo<in R> extends ActorRef<R> {
  refuse(error: NexaError): void;
}
