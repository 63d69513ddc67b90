import { NexaError } from '../errors.ts';
import type { Address } from './address.ts';
import { FATE, Mail } from './envelope.ts';
import type { MailboxOptions } from './props.ts';
import { estimateBytes } from './size.ts';

/** The bounds of a mailbox with the defaults filled in; one object is shared by all cells that took the same options. */
export interface MailboxLimits {
  readonly limit: number;
  readonly limitBytes: number;
  readonly overflow: 'reject' | 'drop-oldest' | 'drop-newest';
  /** Below this many messages, none of them weighed, nothing needs a look. */
  readonly calm: number;
  readonly highWater: number;
  readonly highWaterBytes: number;
}
/** Whether it takes more: it has room, it is high, or it is high and sheds by its own choice (drop-oldest, drop-newest). */
export type Pressure = 'room' | 'high' | 'sheds';
/** Whose mailbox it is. */
export interface Owner {
  readonly address: Address;
  /** That mail had to go because the mailbox was full. */
  overflowed(mail: Mail): void;
}
/** In place of its sender: what waits there is a mail. */
export const MAIL: unique symbol = Symbol('mail');
/** Who told what waits. */
export type From = Address | undefined | typeof MAIL;

const HIGH_WATER = 0.8;
/** A mailbox that hardly holds anything is not weighed, and from then on every eighth message stands for the next seven. */
const WEIGHED_FROM = 16;
const WEIGHED_EVERY = 8;
/** A ring at the bound of its mailbox grows by so many: what comes past the bound is little. */
const GROWN_PAST = 1_024;

const known = new WeakMap<MailboxOptions, MailboxLimits>();
/** @throws NexaError `invalid-definition` */
export function mailboxLimits(options: MailboxOptions): MailboxLimits {
  let limits = known.get(options);
  if (limits === undefined) {
    limits = limitsOf(options);
    known.set(options, limits);
  }
  return limits;
}
function limitsOf(options: MailboxOptions): MailboxLimits {
  const { limit = 1_000, limitBytes = 8 * 2 ** 20, overflow = 'reject' } = options;
  if (
    !(Number.isInteger(limit) && limit >= 1 && limit <= 10_000_000) ||
    !(limitBytes >= 1_024) ||
    !['reject', 'drop-oldest', 'drop-newest'].includes(overflow)
  ) {
    throw new NexaError('invalid-definition', 'these options make no mailbox', {
      where: { limit: String(limit), limitBytes: String(limitBytes), overflow: String(overflow) },
      fix: 'Give a limit of 1 … 10,000,000 messages, limitBytes of at least 1,024 and overflow reject, drop-oldest or drop-newest.',
    });
  }
  const highWater = Math.max(1, Math.floor(limit * HIGH_WATER));
  return { limit, limitBytes, overflow, calm: Math.min(WEIGHED_FROM, highWater - 1), highWater, highWaterBytes: limitBytes * HIGH_WATER };
}
export const DEFAULT_LIMITS: MailboxLimits = mailboxLimits({});

/** A message takes three places of the ring: itself or its mail, who told it, its weight. */
const PLACES = 3;
/** A ring with more places is given back when it is empty. */
const KEPT_PLACES = 1_024;

/**
 * The user messages of one actor: a ring that grows and shrinks, bounded by count and by estimated bytes (M5). What is merely told
 * waits as it is, for a mail of each would cost more than the message; it becomes one when somebody asks for its envelope.
 */
export class Mailbox {
  readonly limits: MailboxLimits;
  /** What waits alone while there is no ring: most actors never have two. Its weight is all that there is. */
  private first: unknown = undefined;
  private firstFrom: From = undefined;
  private ring: unknown[] | undefined = undefined;
  /** A place of the ring. */
  private head = 0;
  private count = 0;
  private bytes = 0;
  private weighed = 0;
  private weight = 0;
  private kept: Mail[] | undefined = undefined;
  private keptCount = 0;
  private waiting: (() => void)[] | undefined = undefined;

  constructor(limits: MailboxLimits) {
    this.limits = limits;
  }

  /** Messages that wait, the stashed ones not counted. */
  get size(): number {
    return this.count;
  }
  get stashed(): number {
    return this.keptCount;
  }
  /** Estimated; what was never weighed counts nothing. */
  get sizeBytes(): number {
    return this.bytes;
  }
  /** So little waits that no bound can be near. */
  get calm(): boolean {
    return this.count < this.limits.calm && this.bytes === 0 && this.keptCount === 0;
  }
  /** Whether a producer should wait. */
  get high(): boolean {
    return this.count + this.keptCount >= this.limits.highWater || this.bytes >= this.limits.highWaterBytes;
  }

  get pressure(): Pressure {
    if (!this.high) return 'room';
    return this.limits.overflow === 'reject' ? 'high' : 'sheds';
  }

  /** False: the mail itself was refused. Whatever went instead, or was refused, is told to its owner. */
  offer(mail: Mail, owner: Owner): boolean {
    if (!this.calm) {
      // What came over the wire was weighed there.
      if (mail.sizeBytes === 0) mail.sizeBytes = this.weigh(mail.message);
      if (!this.makeRoom(mail.sizeBytes, owner)) {
        owner.overflowed(mail);
        return false;
      }
    }
    this.put(mail, MAIL, mail.sizeBytes);
    return true;
  }
  /** As {@link offer}, for what carries nothing but itself and is told to exactly this incarnation. */
  offerTold(message: unknown, from: Address | undefined, owner: Owner): boolean {
    let sizeBytes = 0;
    if (!this.calm) {
      sizeBytes = this.weigh(message);
      if (!this.makeRoom(sizeBytes, owner)) {
        owner.overflowed(new Mail(owner.address, message, from));
        return false;
      }
    }
    this.put(message, from, sizeBytes);
    return true;
  }
  /** Past every bound: for what is bounded where it comes from (outcomes of pipes). */
  push(mail: Mail): void {
    this.put(mail, MAIL, mail.sizeBytes);
  }

  /** Who told what {@link shift} takes next, or {@link MAIL}. */
  get nextFrom(): From {
    return (this.ring === undefined ? this.firstFrom : this.ring[this.head + 1]) as From;
  }
  /** The next mail or, as {@link nextFrom} says, the next message as it is. */
  shift(): unknown {
    if (this.count === 0) return undefined;
    const ring = this.ring;
    let item: unknown;
    if (ring === undefined) {
      item = this.first;
      this.first = undefined;
      this.bytes = 0;
    } else {
      const { head } = this;
      item = ring[head];
      ring[head] = undefined;
      this.bytes -= ring[head + 2] as number;
      this.head = head + PLACES === ring.length ? 0 : head + PLACES;
      if (this.count === 1 && ring.length > KEPT_PLACES) this.ring = undefined;
    }
    this.count--;
    if (this.waiting !== undefined && !this.high) this.release();
    return item;
  }
  /** As {@link shift}, with an envelope around whatever it is. */
  shiftMail({ address }: Pick<Owner, 'address'>): Mail | undefined {
    if (this.count === 0) return undefined;
    const from = this.nextFrom;
    const item = this.shift();
    return from === MAIL ? (item as Mail) : new Mail(address, item, from);
  }

  /** Keeps a message that was taken. False: the mailbox and the stash together are at the limit. */
  stash(mail: Mail): boolean {
    this.kept ??= [];
    if (this.kept.length + this.count >= this.limits.limit) return false;
    this.keptCount = this.kept.push(mail);
    return true;
  }
  unstash(mail: Mail): void {
    const at = this.kept?.lastIndexOf(mail) ?? -1;
    if (at >= 0) {
      this.kept?.splice(at, 1);
      this.keptCount--;
    }
  }
  /** The stashed messages go before those that wait, in the order they came. */
  unstashAll(): void {
    const kept = this.kept;
    if (kept === undefined || kept.length === 0) return;
    this.kept = undefined;
    this.keptCount = 0;
    const needed = this.count + kept.length;
    let ring = this.ring;
    if (ring === undefined || ring.length < needed * PLACES) ring = this.resize(needed);
    for (let index = kept.length - 1; index >= 0; index--) {
      const mail = kept[index] as Mail;
      if (mail.sizeBytes === 0) mail.sizeBytes = this.weigh(mail.message);
      this.head = (this.head === 0 ? ring.length : this.head) - PLACES;
      this.write(ring, this.head, mail, MAIL, mail.sizeBytes);
      mail.fate = FATE.open;
    }
  }

  /** Takes everything out, the stashed ones first. */
  drain(owner: Pick<Owner, 'address'>): Mail[] {
    const all = this.kept ?? [];
    this.kept = undefined;
    this.keptCount = 0;
    for (let mail = this.shiftMail(owner); mail !== undefined; mail = this.shiftMail(owner)) all.push(mail);
    this.ring = undefined;
    this.release();
    return all;
  }

  /** Calls back once, when a producer may go on. Answers how to forget it. */
  whenLow(callback: () => void): () => void {
    this.waiting ??= [];
    const waiting = this.waiting;
    waiting.push(callback);
    return () => {
      const at = waiting.indexOf(callback);
      if (at >= 0) waiting.splice(at, 1);
    };
  }
  get waiters(): number {
    return this.waiting?.length ?? 0;
  }

  private put(item: unknown, from: From, sizeBytes: number): void {
    let ring = this.ring;
    if (ring === undefined) {
      if (this.count === 0) {
        this.first = item;
        this.firstFrom = from;
        this.count = 1;
        this.bytes = sizeBytes;
        return;
      }
      ring = this.resize(4);
    } else if (this.count * PLACES === ring.length) {
      ring = this.resize(Math.min(this.count * 2, Math.max(this.count + GROWN_PAST, this.limits.limit)));
    }
    const at = this.head + this.count * PLACES;
    this.write(ring, at < ring.length ? at : at - ring.length, item, from, sizeBytes);
  }
  private write(ring: unknown[], at: number, item: unknown, from: From, sizeBytes: number): void {
    ring[at] = item;
    ring[at + 1] = from;
    ring[at + 2] = sizeBytes;
    this.count++;
    this.bytes += sizeBytes;
  }

  /** False: there is none, or nothing that may go for it. */
  private makeRoom(sizeBytes: number, owner: Owner): boolean {
    if (this.limits.overflow === 'drop-oldest') while (this.isFullFor(sizeBytes)) owner.overflowed(this.shiftMail(owner) as Mail);
    return this.keptCount < this.limits.limit && !this.isFullFor(sizeBytes);
  }
  private isFullFor(sizeBytes: number): boolean {
    return this.count > 0 && (this.count + this.keptCount >= this.limits.limit || this.bytes + sizeBytes > this.limits.limitBytes);
  }
  /** What a message is taken to weigh; while there are few, nothing. */
  private weigh(message: unknown): number {
    if (this.count < WEIGHED_FROM) return 0;
    if (this.weighed++ % WEIGHED_EVERY === 0) this.weight = Math.ceil(estimateBytes(message));
    return this.weight;
  }

  private release(): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting !== undefined) for (const callback of waiting.splice(0)) callback();
  }

  private resize(capacity: number): unknown[] {
    const { ring: old, head } = this;
    const ring = new Array<unknown>(capacity * PLACES);
    if (old !== undefined) {
      const used = this.count * PLACES;
      for (let at = 0; at < used; at++) ring[at] = old[head + at < old.length ? head + at : head + at - old.length];
    } else if (this.count === 1) {
      ring[0] = this.first;
      ring[1] = this.firstFrom;
      ring[2] = this.bytes;
      this.first = undefined;
    }
    this.head = 0;
    this.ring = ring;
    return ring;
  }
}
