import type { Clock } from '../ports/clock.ts';
import type { Address } from './address.ts';

/** One message on its way, local or not. On the wire: a fixed-position array. */
export interface Envelope {
  readonly to: Address;
  readonly message: unknown;
  readonly replyTo?: Address | undefined;
  readonly from?: Address | undefined;
  /** Of the sending activation. */
  readonly epoch?: number | undefined;
  /** The turns that wait for this ask, outermost first, at most 16: a cycle is refused. */
  readonly chain?: readonly string[] | undefined;
  readonly requestId?: string | undefined;
  /** Left of the sender's budget when it was sent; a receiver counts on its own clock. */
  readonly budgetMs?: number | undefined;
  readonly traceparent?: string | undefined;
  /** Of a message that came over the wire as it was encoded there; else estimated, 0 if it was not weighed. */
  readonly sizeBytes?: number | undefined;
}

/** Says, once, when a message is taken out, whether it is still to be handled: its timer may be cancelled, its incarnation over. */
export interface Guard {
  take(): boolean;
  /** It will not be taken, because its actor is over: for what somebody else sent. */
  lost?(mail: Mail): void;
  /** It was dropped from a full mailbox. */
  shed?(): void;
}

/** What became of a message besides being handled. */
export const FATE = { open: 0, replied: 1, deferred: 2, stashed: 3 } as const;
export type Fate = (typeof FATE)[keyof typeof FATE];

/** In place of a told message: there is none. */
export const NOTHING: unique symbol = Symbol('nothing');

/**
 * An envelope in a mailbox. A told message has only the fields set below, because there are so many of them; what is rare comes
 * from the prototype, or from {@link AskMail} and {@link OwnMail}.
 */
export class Mail implements Envelope {
  readonly to: Address;
  readonly message: unknown;
  readonly from: Address | undefined;
  /** 0: not weighed. */
  sizeBytes: number;
  declare fate: Fate;
  declare readonly epoch: number | undefined;
  declare readonly replyTo: Address | undefined;
  declare readonly chain: readonly string[] | undefined;
  declare readonly requestId: string | undefined;
  declare readonly budgetMs: number | undefined;
  declare readonly traceparent: string | undefined;
  /** On this node's monotonic clock. */
  declare readonly deadlineMs: number;
  declare readonly guard: Guard | undefined;

  constructor(to: Address, message: unknown, from: Address | undefined) {
    this.to = to;
    this.message = message;
    this.from = from;
    this.sizeBytes = 0;
  }
}
Object.assign(Mail.prototype, {
  traceparent: undefined,
  fate: FATE.open,
  epoch: undefined,
  replyTo: undefined,
  deadlineMs: Number.POSITIVE_INFINITY,
  guard: undefined,
});

/** Told by an activation that stamps its epoch on what it sends. */
export class StampedMail extends Mail {
  override readonly epoch: number | undefined;

  constructor(to: Address, message: unknown, from: Address | undefined, epoch: number | undefined) {
    super(to, message, from);
    this.epoch = epoch;
  }
}

/** A request: told like a message, with a way back and a deadline. Also whatever came from elsewhere with more than a message. */
export class AskMail extends Mail {
  override fate: Fate = FATE.open;
  override readonly epoch: number | undefined;
  override readonly replyTo: Address | undefined;
  override readonly chain: readonly string[] | undefined;
  override readonly requestId: string | undefined;
  override readonly budgetMs: number | undefined;
  override readonly traceparent: string | undefined;
  override readonly deadlineMs: number;

  constructor(envelope: Envelope, deadlineMs: number, budgetMs: number | undefined = envelope.budgetMs, message = envelope.message) {
    super(envelope.to, message, envelope.from);
    this.epoch = envelope.epoch;
    this.replyTo = envelope.replyTo;
    this.chain = envelope.chain;
    this.requestId = envelope.requestId;
    this.budgetMs = budgetMs;
    this.traceparent = envelope.traceparent;
    this.deadlineMs = deadlineMs;
  }
}

/** What the actor sends itself by timer, pipe or subscription. */
export class OwnMail extends Mail {
  override readonly guard: Guard;

  constructor(self: Address, message: unknown, guard: Guard) {
    super(self, message, self);
    this.guard = guard;
  }
}

/** What was published and somebody subscribed to: no one else's message, and part of the publisher's trace. */
export class TopicMail extends Mail {
  override readonly guard: Guard;
  override readonly traceparent: string | undefined;

  constructor(to: Address, message: unknown, guard: Guard, traceparent: string | undefined) {
    super(to, message, undefined);
    this.guard = guard;
    this.traceparent = traceparent;
  }
}

/** A message that came over the wire, on this node's clock. */
export function mailFromWire(envelope: Envelope, message: unknown, sizeBytes: number, clock: Clock): Mail {
  const { to, from, replyTo, epoch, budgetMs, chain, requestId, traceparent } = envelope;
  const isTold = replyTo === undefined && budgetMs === undefined && requestId === undefined && chain === undefined;
  const mail =
    isTold && epoch === undefined && traceparent === undefined
      ? new Mail(to, message, from)
      : new AskMail(envelope, deadlineOf(envelope, clock), budgetMs, message);
  mail.sizeBytes = sizeBytes;
  return mail;
}

/** An envelope that arrived, on this node's clock. */
export function arrivedMail(envelope: Envelope, clock: Clock): Mail {
  return envelope instanceof Mail ? envelope : new AskMail(envelope, deadlineOf(envelope, clock));
}

const deadlineOf = ({ budgetMs }: Envelope, clock: Clock): number =>
  budgetMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + budgetMs;
