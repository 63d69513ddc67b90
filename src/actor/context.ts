import type { AgentRef, Commands, Protocol } from '../agent/protocol.ts';
import type { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { RuntimeEvent } from './events.ts';
import type { ItemOf, Message, ReplyOf } from './message.ts';
import type { Props } from './props.ts';
import type { OwnReceptionist } from './receptionist.ts';
import type { ActorRef, AnyRef, Cancel, ReplyTo } from './ref.ts';
import type { Outcome } from './signal.ts';
import type { OwnTopic } from './topic.ts';

/**
 * What every actor may do. What acts is valid only inside its own turns (an async handler's awaits included) and else throws
 * `context-misused`; self, id, config, epoch, owned, signal, log and clock may be read at any time.
 */
export interface BaseContext<in M> {
  readonly self: ActorRef<M>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when this incarnation stops, restarts or loses its ownership: pass it to everything slow. */
  readonly signal: AbortSignal;
  /** What is left of the current ask, or undefined for a tell. Nested asks are shortened to it. */
  remainingMs(): number | undefined;
  spawn<C>(props: Props<C>, name?: string): ActorRef<C>;
  readonly children: ReadonlyMap<string, AnyRef>;
  stop(child: AnyRef): void;
  /** Exactly one `terminated` signal (L3), or, if given, exactly one `message` instead of it. */
  watch(target: AnyRef, message?: M): void;
  unwatch(target: AnyRef): void;
  /** Dies with the incarnation. Replaces the timer of the same key, if one is given. 0 … 2^53 ms. */
  after(delayMs: number, message: M, key?: string): Cancel;
  every(intervalMs: number, message: M, key?: string): Cancel;
  /** Keeps the current message for later; bounded with the mailbox. @throws NexaError `stash-full`. */
  stash(): void;
  unstashAll(): void;
  /** Runs slow work outside the turn; its outcome comes back as a message, and never reaches a later incarnation. */
  pipe<T>(work: (signal: AbortSignal) => Promise<T>, toMessage: (outcome: Outcome<T>) => M): void;
  /** A named agent, wherever it lives. No round trip, no check that it exists. */
  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C>;
  /** Services by key, cluster-wide: who offers what. Its subscriptions end with the incarnation. */
  readonly receptionist: OwnReceptionist<M>;
  /** Local event stream; ends with the incarnation. */
  subscribe<E extends RuntimeEvent['event']>(event: E, toMessage: (event: Extract<RuntimeEvent, { readonly event: E }>) => M): Cancel;
  /** Messages by what they are about, cluster-wide: publish to a name, subscribe to a name or pattern. @throws NexaError `bad-id`. */
  topic<T extends Message>(name: string): OwnTopic<T, M>;
}
/** The context of a plain actor: replies are typed by the message that is being answered. */
export interface Context<in M> extends BaseContext<M> {
  /** Answers `message`; nothing happens if it was told, not asked. */
  reply<C>(message: C, reply: ReplyOf<C>): void;
  refuse(message: Message, error: NexaError): void;
  /** For answering later, or by somebody else. Must be taken in the message's own turn. */
  replyTo<C>(message: C): ReplyTo<ReplyOf<C>>;
  /**
   * Answers with items. `produce` runs outside the turn; it is pulled only while the consumer's window has room, and its signal is
   * aborted when the consumer leaves or this incarnation ends. Nothing happens if the message was told.
   */
  replyStream<C>(message: C, produce: (signal: AbortSignal) => AsyncIterable<ItemOf<C>>): void;
}
