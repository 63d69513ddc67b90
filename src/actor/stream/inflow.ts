import { NexaError, toNexaError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { onAbort } from '../../ports/on-abort.ts';
import { WIDEST_WINDOW } from '../address.ts';
import type { Cancel, StreamOptions } from '../ref.ts';
import type { Items } from './frames.ts';

/** 24 days. */
const LONGEST_IDLE_MS = 2_073_600_000;
export const DEFAULT_WINDOW = 16;
/** How often a consumer that waits says again how far it is, so that a part that was lost shows. */
const SAY_AGAIN_MS = 1_000;

/** The way to the producer of one stream. */
export interface Producer {
  /** Sends the request. What it throws is how the stream ended. */
  open(inflow: Inflow): void;
  /** The producer may send so many items in all. Said again while none comes; what cannot be sent is said the next time. */
  pull(upTo: number): void;
  /** Nothing more of it is wanted; once, and not after the producer has ended. */
  leave(): void;
  /** Ended, for whatever reason. */
  over(): void;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (error: NexaError) => void;
}

/**
 * The consumer's end of one stream: at most a window of items that were not asked for yet, and the one end. Items leave in the
 * order of their numbers; a missing one ends the stream as `stream-broken` behind those before it.
 */
export class Inflow implements AsyncIterableIterator<unknown> {
  readonly window: number;
  readonly idleTimeoutMs: number;
  private readonly clock: Clock;
  private readonly producer: Producer;
  private readonly where: Readonly<Record<string, string>>;
  private readonly signal: AbortSignal | undefined;
  private readonly problem: string | undefined;
  private begun = false;
  private ended: { readonly error: NexaError | undefined } | undefined = undefined;
  private told = false;
  private readonly ready: unknown[] = [];
  private at = 0;
  private readonly waiting: Waiting[] = [];
  /** Items that arrived, that were handed over, and that the producer may send, all since the start. */
  private arrived = 0;
  private taken = 0;
  private granted: number;
  private heardAtMs = 0;
  private disarm: Cancel | undefined = undefined;
  private unhear: (() => void) | undefined = undefined;

  constructor(producer: Producer, clock: Clock, options: StreamOptions, where: Readonly<Record<string, string>>) {
    const { idleTimeoutMs, window = DEFAULT_WINDOW, signal } = options ?? {};
    this.producer = producer;
    this.clock = clock;
    this.where = where;
    this.window = window;
    this.granted = window;
    this.idleTimeoutMs = idleTimeoutMs;
    this.signal = signal;
    if (!(Number.isInteger(window) && window >= 1 && window <= WIDEST_WINDOW))
      this.problem = `a stream has a window of 1 to ${WIDEST_WINDOW} items`;
    else if (!(typeof idleTimeoutMs === 'number' && idleTimeoutMs > 0 && idleTimeoutMs <= LONGEST_IDLE_MS))
      this.problem = 'a stream has an idleTimeoutMs above 0 and at most 24 days';
  }

  get over(): boolean {
    return this.ended !== undefined;
  }
  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (!this.begun) this.begin();
    if (this.at < this.ready.length) return Promise.resolve({ done: false, value: this.take() });
    if (this.ended !== undefined) return this.lastWord(this.ended);
    if (this.waiting.length >= WIDEST_WINDOW)
      return Promise.reject(new NexaError('overloaded', 'too many items of one stream are waited for', { where: this.where }));
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      if (this.waiting.length === 1) this.listen();
    });
  }
  /** Leaves the stream, as `break` does. */
  return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.leaveWith(undefined);
    return Promise.resolve({ done: true, value });
  }
  throw(error?: unknown): Promise<IteratorResult<unknown>> {
    this.leaveWith(undefined);
    return Promise.reject(error);
  }

  /** A part of the stream arrived. */
  arrive({ seq, items, end, error }: Items): void {
    if (this.ended !== undefined) return;
    if (seq > this.arrived) return this.breakOff(`${seq - this.arrived} items are missing`);
    if (seq < this.arrived && items.length > 0) return this.breakOff('items came twice');
    if (seq + items.length > this.granted) return this.breakOff('more items came than were asked for');
    this.arrived += items.length;
    // A part without items only says where the producer stands: that is silence all the same.
    if (items.length > 0) this.heardAtMs = this.clock.monotonicMs();
    for (const item of items) {
      const first = this.waiting.shift();
      if (first === undefined) this.ready.push(item);
      else {
        this.taken++;
        first.resolve({ done: false, value: item });
      }
    }
    if (error !== undefined || end === true) this.finish(error);
    else if (items.length > 0) this.grant();
  }
  /** The producer has ended, or cannot be reached any more. */
  fail(error: NexaError): void {
    this.finish(error);
  }
  /** It will not do: ends here, and at the producer too. Items that arrived before are still handed over. */
  breakOff(message: string): void {
    const error = new NexaError('stream-broken', message, { where: this.where });
    if (this.ended !== undefined) return;
    this.producer.leave();
    this.finish(error);
  }

  private begin(): void {
    this.begun = true;
    if (this.problem !== undefined) return this.finish(new NexaError('invalid-message', this.problem, { where: this.where }));
    const { signal } = this;
    if (signal?.aborted === true)
      return this.finish(
        new NexaError('cancelled', 'the stream was given up before it was asked for', {
          where: this.where,
          definite: true,
          cause: signal.reason,
        }),
      );
    if (signal !== undefined) this.unhear = onAbort(signal, this.aborted);
    try {
      this.producer.open(this);
    } catch (thrown) {
      this.finish(toNexaError(thrown, 'internal'));
    }
  }
  private readonly aborted = (): void =>
    this.leaveWith(new NexaError('cancelled', 'the stream was given up', { where: this.where, cause: this.signal?.reason }));
  private leaveWith(error: NexaError | undefined): void {
    this.ready.length = 0;
    this.at = 0;
    if (this.ended !== undefined) {
      // Whoever leaves asks for no reason any more.
      this.told = true;
      return;
    }
    if (this.begun) this.producer.leave();
    this.begun = true;
    this.finish(error);
  }
  private finish(error: NexaError | undefined): void {
    if (this.ended !== undefined) return;
    this.ended = { error };
    this.disarm?.();
    this.disarm = undefined;
    this.unhear?.();
    this.producer.over();
    for (const waiting of this.waiting.splice(0)) this.lastWord(this.ended).then(waiting.resolve, waiting.reject);
  }
  /** The error is thrown once; whoever asks again hears only that it is over. */
  private lastWord({ error }: { readonly error: NexaError | undefined }): Promise<IteratorResult<unknown>> {
    if (error === undefined || this.told) return Promise.resolve({ done: true, value: undefined });
    this.told = true;
    return Promise.reject(error);
  }

  private take(): unknown {
    const item = this.ready[this.at];
    this.ready[this.at++] = undefined;
    if (this.at === this.ready.length) {
      this.ready.length = 0;
      this.at = 0;
    }
    this.taken++;
    this.grant();
    return item;
  }
  /** Half a window at a time: neither a message per item nor a producer that stands still. */
  private grant(): void {
    const upTo = this.taken + this.window;
    if (this.ended !== undefined || (upTo - this.granted) * 2 < this.window) return;
    this.granted = upTo;
    this.producer.pull(upTo);
  }

  /** Silence counts while an item is waited for. One timer, set again only when it is due. */
  private listen(): void {
    this.heardAtMs = this.clock.monotonicMs();
    if (this.disarm === undefined) this.arm();
  }
  private arm(): void {
    const left = this.heardAtMs + this.idleTimeoutMs - this.clock.monotonicMs();
    this.disarm = this.clock.after(Math.max(0, Math.min(left, SAY_AGAIN_MS)), () => {
      this.disarm = undefined;
      if (this.waiting.length === 0 || this.ended !== undefined) return;
      if (this.clock.monotonicMs() - this.heardAtMs >= this.idleTimeoutMs) {
        this.producer.leave();
        this.finish(new NexaError('ask-timeout', `no item for ${this.idleTimeoutMs} ms`, { where: this.where }));
        return;
      }
      this.producer.pull(this.granted);
      this.arm();
    });
  }
}
