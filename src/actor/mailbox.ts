import { NexaError } from '../errors.ts';
import { FATE, type Mail } from './envelope.ts';
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
/** Told which mail had to go when the mailbox was full. */
export interface Overflow {
  overflowed(mail: Mail): void;
}

const HIGH_WATER = 0.8;
/** A mailbox that hardly holds anything is not weighed, and from then on every eighth message stands for the next seven. */
const WEIGHED_FROM = 16;
const WEIGHED_EVERY = 8;

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

/** The user messages of one actor: a ring that grows and shrinks, bounded by count and by estimated bytes (M5). */
export class Mailbox {
  readonly limits: MailboxLimits;
  /** What waits alone while there is no ring: most actors never have two. */
  private first: Mail | undefined = undefined;
  private ring: (Mail | undefined)[] | undefined = undefined;
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

  /** False: the mail itself was refused. Whatever went instead, or was refused, is told to `overflow`. */
  offer(mail: Mail, overflow: Overflow): boolean {
    if (this.calm) {
      this.push(mail);
      return true;
    }
    if (this.count >= WEIGHED_FROM) this.weigh(mail);
    if (this.count + this.keptCount >= this.limits.limit || (this.bytes + mail.sizeBytes > this.limits.limitBytes && this.count > 0)) {
      if (this.limits.overflow !== 'drop-oldest') {
        overflow.overflowed(mail);
        return false;
      }
      while (this.count > 0 && (this.count + this.keptCount >= this.limits.limit || this.bytes + mail.sizeBytes > this.limits.limitBytes)) {
        overflow.overflowed(this.shift() as Mail);
      }
      if (this.keptCount >= this.limits.limit) {
        overflow.overflowed(mail);
        return false;
      }
    }
    this.push(mail);
    return true;
  }

  /** Past every bound: for what is bounded where it comes from (outcomes of pipes). */
  push(mail: Mail): void {
    let ring = this.ring;
    if (ring === undefined && this.count === 0) this.first = mail;
    else {
      if (ring === undefined) ring = this.resize(8);
      else if (this.count === ring.length) ring = this.resize(ring.length * 2);
      ring[(this.head + this.count) & (ring.length - 1)] = mail;
    }
    this.count++;
    this.bytes += mail.sizeBytes;
  }

  shift(): Mail | undefined {
    if (this.count === 0) return undefined;
    const ring = this.ring;
    let mail: Mail;
    if (ring === undefined) {
      mail = this.first as Mail;
      this.first = undefined;
    } else {
      mail = ring[this.head] as Mail;
      ring[this.head] = undefined;
      this.head = (this.head + 1) & (ring.length - 1);
      if (this.count === 1 && ring.length > 1_024) this.ring = undefined;
    }
    this.count--;
    this.bytes -= mail.sizeBytes;
    if (this.waiting !== undefined && !this.high) this.release();
    return mail;
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
    let capacity = this.ring?.length ?? 8;
    while (capacity < needed) capacity *= 2;
    const ring = this.resize(capacity);
    for (let index = kept.length - 1; index >= 0; index--) {
      const mail = kept[index] as Mail;
      this.head = (this.head - 1) & (capacity - 1);
      ring[this.head] = mail;
      mail.fate = FATE.open;
      this.bytes += mail.sizeBytes;
      this.count++;
    }
  }

  /** Takes everything out, the stashed ones first. */
  drain(): Mail[] {
    const all = this.kept ?? [];
    this.kept = undefined;
    this.keptCount = 0;
    for (let mail = this.shift(); mail !== undefined; mail = this.shift()) all.push(mail);
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

  private weigh(mail: Mail): void {
    // What came over the wire was weighed there.
    if (mail.sizeBytes > 0) return;
    if (this.weighed++ % WEIGHED_EVERY === 0) this.weight = estimateBytes(mail.message);
    mail.sizeBytes = this.weight;
  }

  private release(): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting !== undefined) for (const callback of waiting.splice(0)) callback();
  }

  private resize(capacity: number): (Mail | undefined)[] {
    const old = this.ring;
    const ring = new Array<Mail | undefined>(capacity);
    if (old === undefined) ring[0] = this.first;
    else for (let index = 0; index < this.count; index++) ring[index] = old[(this.head + index) & (old.length - 1)];
    this.first = undefined;
    this.head = 0;
    this.ring = ring;
    return ring;
  }
}
