import { NexaError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { WIDEST_WINDOW } from '../address.ts';
import { errorOf } from '../cell/user-code.ts';
import type { Gate } from '../elsewhere.ts';
import type { Cancel } from '../ref.ts';
import { estimateBytes } from '../size.ts';
import { type Items, LEFT } from './frames.ts';

/** A part has about so many bytes, estimated; a larger item travels alone. */
const PART_BYTES = 65_536;
/** Microtasks that an item waits for the next one before it leaves. */
const LULL = 8;
/** A producer waits at least so long for a consumer that asks for nothing; its own idle timeout if that is longer. */
export const PATIENCE_MS = 30_000;
/** What was aborted has so long to end before it is abandoned. */
const ABANDON_MS = 5_000;
/** Until what could not be sent is tried again. */
const AGAIN_MS = 50;
/** Longest wait for a full way to have room before it is looked at again. */
const ROOM_MS = 5_000;

export interface OutflowOptions {
  readonly clock: Clock;
  readonly where: Readonly<Record<string, string>>;
  readonly produce: (signal: AbortSignal) => AsyncIterable<unknown>;
  /** An item as it may leave. @throws NexaError what is wrong with it; the stream ends so. */
  readonly check: ((item: unknown) => unknown) | undefined;
  readonly gate: Gate | undefined;
  /** Items that may be sent before the first pull. */
  readonly window: number;
  readonly idleTimeoutMs: number;
  /** `full`: it left, but the way has no room for more. `refused`: it did not leave. @throws NexaError what cannot travel. */
  readonly send: (part: Items) => 'sent' | 'full' | 'refused';
  /** Resolves when the way has room again. */
  readonly room: (options: { readonly timeoutMs: number }) => Promise<void>;
  /** Runs it later, between the turns of the actors. */
  readonly soon: (run: () => void) => void;
  /** Nothing of it is left; `abandoned` when the generator would not end. */
  readonly onOver: (abandoned: boolean) => void;
}

/**
 * The producer's end of one stream. The generator is pulled only while there is credit and the way has room, so no more than a
 * window of items is ever between it and the consumer. What is ready together travels together.
 */
export class Outflow {
  private readonly options: OutflowOptions;
  private readonly controller = new AbortController();
  private readonly patienceMs: number;
  private iterator: AsyncIterator<unknown> | undefined = undefined;
  private part: unknown[] = [];
  private partBytes = 0;
  private last: { readonly end: true } | { readonly error: NexaError } | undefined = undefined;
  /** Items that left, and that may leave, since the start. */
  private sent = 0;
  /** The consumer was told where its producer is, with items or without. */
  private known = false;
  private granted: number;
  /** The gate is closed or the way is full. */
  private blocked = false;
  private over = false;
  private released = false;
  private lull = 0;
  private wake: (() => void) | undefined = undefined;
  private heardAtMs: number;
  private disarm: Cancel | undefined = undefined;

  constructor(options: OutflowOptions) {
    this.options = options;
    this.granted = options.window;
    this.patienceMs = Math.max(PATIENCE_MS, options.idleTimeoutMs);
    this.heardAtMs = options.clock.monotonicMs();
  }

  start(): void {
    this.options.soon(() => {
      void this.run();
      this.flushSoon();
    });
  }

  /** The consumer may be sent so many items in all, or is gone. */
  pulled(upTo: number): void {
    if (this.over) return;
    if (upTo === LEFT) return this.leave();
    this.heardAtMs = this.options.clock.monotonicMs();
    if (upTo > this.granted) {
      this.granted = Math.min(upTo, this.sent + WIDEST_WINDOW);
      this.options.soon(() => this.resume());
    } else if (this.part.length === 0 && !this.blocked) this.say({ seq: this.sent, items: [] });
  }
  /** The incarnation that produces it is over, or may not act any more: the consumer hears so, and the generator is aborted. */
  cut(error: NexaError): void {
    if (this.over) return;
    this.say({ seq: this.sent, items: [], error });
    this.leave();
  }

  private async run(): Promise<void> {
    const { produce, check } = this.options;
    try {
      if (this.over) return;
      this.iterator = produce(this.controller.signal)[Symbol.asyncIterator]();
      while (await this.mayPull()) {
        const next = await this.iterator.next();
        if (this.over) return;
        if (next.done === true) {
          this.last = { end: true };
          break;
        }
        this.add(check === undefined ? next.value : check(next.value));
      }
    } catch (thrown) {
      this.last ??= { error: errorOf(thrown, this.options.where) };
    } finally {
      if (this.over) this.release(false);
      else this.flush();
    }
  }
  /** False: it is over. */
  private async mayPull(): Promise<boolean> {
    while (!this.over && (this.blocked || this.sent + this.part.length >= this.granted || this.partBytes >= PART_BYTES)) {
      this.flush();
      if (this.over) break;
      if (!this.blocked && this.sent + this.part.length < this.granted) continue;
      this.heardAtMs = this.options.clock.monotonicMs();
      if (!this.blocked) this.arm();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return !this.over;
  }
  private add(item: unknown): void {
    this.part.push(item);
    this.partBytes += estimateBytes(item);
    this.flushSoon();
  }
  private flushSoon(): void {
    if (this.lull === 0) void this.flushAfterLull();
    this.lull = LULL;
  }
  private async flushAfterLull(): Promise<void> {
    do await undefined;
    while (--this.lull > 0);
    this.lull = 0;
    this.flush();
  }

  /** Sends what is there, unless the gate or the way keeps it back for a while. */
  private flush(): void {
    if (this.over || this.blocked || (this.known && this.part.length === 0 && this.last === undefined)) return;
    const { gate } = this.options;
    if (gate !== undefined && !gate.open()) {
      this.blocked = true;
      const fenced = (): void => this.cut(new NexaError('stream-broken', 'its producer may no longer act', { where: this.options.where }));
      if (!gate.hold(() => this.unblock(), fenced)) fenced();
      return;
    }
    const items = this.part;
    this.part = [];
    this.partBytes = 0;
    this.send(items, this.last);
    if (this.last !== undefined && !this.over && !this.blocked && this.part.length === 0) this.finish();
  }
  private send(items: readonly unknown[], last: { readonly end?: true; readonly error?: NexaError } | undefined): void {
    try {
      const result = this.options.send({ seq: this.sent, items, ...last });
      if (this.over) return;
      if (result === 'refused') this.keep(items);
      else {
        this.known = true;
        this.sent += items.length;
        if (result === 'full' && last === undefined) this.waitForRoom();
      }
    } catch (thrown) {
      this.unsendable(items, last, errorOf(thrown, this.options.where));
    }
  }
  /** Something in it cannot travel: halves find out what, and what comes before that is sent. */
  private unsendable(items: readonly unknown[], last: Parameters<Outflow['send']>[1], error: NexaError): void {
    if (items.length > 1) {
      const half = items.length >> 1;
      this.send(items.slice(0, half), undefined);
      if (this.over) return;
      if (this.blocked) this.part.push(...items.slice(half));
      else this.send(items.slice(half), last);
      return;
    }
    this.say({ seq: this.sent, items: [], error });
    this.leave();
  }
  private keep(items: readonly unknown[]): void {
    this.part = [...items, ...this.part];
    this.blocked = true;
    this.options.clock.after(AGAIN_MS, () => this.waitForRoom());
  }
  private waitForRoom(): void {
    this.blocked = true;
    const again = (): void => this.unblock();
    this.options.room({ timeoutMs: ROOM_MS }).then(again, again);
  }
  private unblock(): void {
    if (this.over) return;
    this.blocked = false;
    this.flush();
    this.resume();
  }
  private resume(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
  /** Without a second try: what this says is heard again when the consumer asks. */
  private say(part: Items): void {
    try {
      this.options.send(part);
    } catch {
      // It cannot even be said why: a consumer that asks again hears that there is no such stream.
    }
  }

  /** Out of credit: a consumer that asks for nothing for long is taken for gone. */
  private arm(): void {
    if (this.disarm !== undefined) return;
    const { clock } = this.options;
    const left = this.heardAtMs + this.patienceMs - clock.monotonicMs();
    this.disarm = clock.after(Math.max(1, left), () => {
      this.disarm = undefined;
      if (this.over || this.wake === undefined || this.blocked) return;
      if (clock.monotonicMs() - this.heardAtMs < this.patienceMs) return this.arm();
      this.cut(new NexaError('ask-timeout', `no item was asked for during ${this.patienceMs} ms`, { where: this.options.where }));
    });
  }

  /** Everything was sent. */
  private finish(): void {
    if (this.last !== undefined && 'error' in this.last) return this.leave();
    this.over = true;
    this.release(false);
  }
  private leave(): void {
    if (this.over) return;
    this.over = true;
    this.part = [];
    this.controller.abort();
    this.end();
    this.resume();
  }
  /** The generator may clean up; one that does not end is not waited for longer than stated. */
  private end(): void {
    this.disarm?.();
    const { iterator } = this;
    const abandon = this.options.clock.after(ABANDON_MS, () => this.release(true));
    const ended = (): void => {
      abandon();
      this.release(false);
    };
    Promise.resolve()
      .then(() => iterator?.return?.())
      .then(ended, ended);
  }
  private release(abandoned: boolean): void {
    this.disarm?.();
    if (this.released) return;
    this.released = true;
    this.options.onOver(abandoned);
  }
}
