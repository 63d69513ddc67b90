import type { Message } from './message.ts';
import type { ActorRef, Cancel } from './ref.ts';

export interface SubscriptionOptions {
  /** Of all that subscribe under one group, wherever they are, one gets each message. 1 … 64 of letters, digits, `_` and `-`. */
  readonly group?: string;
}

/** The sending side of a topic. */
export interface Publisher<in T> {
  /** As it was given: a name such as `orders.eu.created`, or a pattern, which can only be subscribed to. */
  readonly name: string;
  /**
   * To everybody who is subscribed now, at most once, in the order of one publisher; to nobody is no error. `false` is the hint to
   * slow down, or that there is no connection: the message is a dead letter then. It always goes through the broker, so whoever
   * listens, here or elsewhere, hears it once and in one order.
   * @throws NexaError `bad-id` for a pattern, `invalid-message`, `payload-too-large`, `not-encodable`: before anything was sent.
   */
  publish(message: T): boolean;
}

/**
 * Messages by what they are about instead of to whom they go. In a pattern `*` is one token and `>` all that follow. Whoever may
 * reach the broker may publish: what a subscriber does not expect it has to refuse.
 */
export interface Topic<in out T extends Message> extends Publisher<T> {
  /**
   * Tells that actor of this node what is published, until it stops. In force once the broker has it, which this does not await.
   * @throws NexaError `bad-id`, `no-such-actor`, `invalid-message` for an actor elsewhere or an agent (it subscribes itself), `overloaded`.
   */
  subscribe(actor: ActorRef<T>, options?: SubscriptionOptions): Cancel;
}

/** A topic as an actor's context gives it: subscriptions end with the incarnation, so a behaviour or `started` makes them. */
export interface OwnTopic<in out T extends Message, in M> extends Publisher<T> {
  /**
   * What `toMessage` makes of each message arrives in the actor's own mailbox, under its policy, and for an agent is validated as one
   * of its commands. What it throws at makes that message a dead letter `invalid-message` and nothing else: check strangers there.
   * @throws NexaError as {@link Topic.subscribe}, `context-misused`.
   */
  subscribe(to: ActorRef<T> | ((message: T, topic: string) => M), options?: SubscriptionOptions): Cancel;
}

/** Who listens. */
export interface Listener {
  /** Has room: members of a group that have none are passed over while another one has. */
  readonly ready: boolean;
  deliver(message: unknown, topic: string, traceparent: string | undefined): void;
}

/** What carries topics. The cluster installs it; it is the same over NATS, in memory and for a client. */
export interface TopicBus {
  /** Checks and encodes; what is returned sends, never throws, and answers as {@link Publisher.publish}. @throws as that. */
  prepare(name: string, message: unknown, traceparent: string | undefined): () => boolean;
  /** A listener is of one subscription. @throws NexaError `bad-id`, `overloaded`. */
  subscribe(pattern: string, listener: Listener, options: SubscriptionOptions): Cancel;
  /** @throws NexaError `bad-id` for what is neither name nor pattern. */
  check(pattern: string): void;
}
