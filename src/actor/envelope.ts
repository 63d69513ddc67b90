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
}

/** Says, once, when a message is taken out, whether it is still to be handled: its timer may be cancelled, its incarnation over. */
export interface Guard {
  take(): boolean;
}

/** An envelope in a mailbox. Every message has this one shape, which keeps the hot path monomorphic. */
export class Mail implements Envelope {
  readonly to: Address;
  readonly message: unknown;
  readonly from: Address | undefined;
  readonly epoch: number | undefined;
  readonly replyTo: Address | undefined = undefined;
  readonly chain: readonly string[] | undefined = undefined;
  readonly requestId: string | undefined = undefined;
  readonly budgetMs: number | undefined = undefined;
  readonly traceparent: string | undefined = undefined;
  /** On this node's monotonic clock. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** 0: not measured yet. */
  sizeBytes = 0;
  guard: Guard | undefined = undefined;

  constructor(to: Address, message: unknown, from: Address | undefined, epoch: number | undefined) {
    this.to = to;
    this.message = message;
    this.from = from;
    this.epoch = epoch;
  }
}

type Draft = { -readonly [Field in keyof Mail]: Mail[Field] };

/** A request: told like a message, with a way back and a deadline. */
export function askMail(
  to: Address,
  message: unknown,
  from: Address | undefined,
  epoch: number | undefined,
  asked: {
    readonly replyTo: Address;
    readonly budgetMs: number;
    readonly deadlineMs: number;
    readonly chain: readonly string[] | undefined;
    readonly requestId: string | undefined;
  },
): Mail {
  const mail: Draft = new Mail(to, message, from, epoch);
  mail.replyTo = asked.replyTo;
  mail.budgetMs = asked.budgetMs;
  mail.deadlineMs = asked.deadlineMs;
  mail.chain = asked.chain;
  mail.requestId = asked.requestId;
  return mail;
}

/** What the actor sends itself by timer, pipe or subscription. */
export function ownMail(to: Address, message: unknown, guard: Guard): Mail {
  const mail = new Mail(to, message, to, undefined);
  mail.guard = guard;
  return mail;
}

/** An envelope that arrived, on this node's clock. */
export function arrivedMail(envelope: Envelope, nowMs: number): Mail {
  if (envelope instanceof Mail) return envelope;
  const mail: Draft = new Mail(envelope.to, envelope.message, envelope.from, envelope.epoch);
  mail.replyTo = envelope.replyTo;
  mail.chain = envelope.chain;
  mail.requestId = envelope.requestId;
  mail.budgetMs = envelope.budgetMs;
  mail.traceparent = envelope.traceparent;
  if (envelope.budgetMs !== undefined) mail.deadlineMs = nowMs + envelope.budgetMs;
  return mail;
}
