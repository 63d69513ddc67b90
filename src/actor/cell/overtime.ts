import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { type Address, describeAddress } from '../address.ts';
import { type Bucket, Deadlines, type Due } from '../deadlines.ts';
import type { EventStream } from '../events.ts';
import type { Cancel } from '../ref.ts';
import { typeOf } from './user-code.ts';

/** Between two lines of the log about one actor. */
const LOG_EVERY_MS = 60_000;

/** How often within their limit turns of actors without a time of their own are looked at for the first time. */
const LOOKS = 100;
/** In place of a turn that is timed: it is looked at soon. */
export const SOON: unique symbol = Symbol('soon');

/** Whose turn it is: the cell, or whatever a test puts in its place. */
export interface Timed {
  readonly shown: Address;
  readonly options: { readonly handlerMs?: number } | undefined;
  readonly busy: boolean;
  /** What is being handled. */
  readonly message: unknown;
  timed: WaitingTurn | typeof SOON | undefined;
}
interface Record {
  turns: number;
  loggedAtMs: number;
  unlogged: number;
}

/**
 * Handlers that take longer than they may. One that waits is told while it still runs, and again with its whole time when it is done; one that
 * held the event loop when it lets go of it, for nothing else could run before.
 *
 * Most turns that wait are over at once, and the clock costs as much as they do: those of actors without a time of their own are only
 * noted, and are timed if a look a hundredth of their limit later still finds them.
 */
export class Overtime {
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly events: EventStream;
  /** For actors that were given no time of their own. */
  private readonly limitMs: number;
  private readonly waiting: Deadlines;
  private soon: Timed[] = [];
  /** Since when the first of these waits. */
  private soonSinceMs = 0;
  private cancelLook: Cancel = () => {};
  /** Of those alone that were slow once; it ends with the actor. */
  private readonly records = new WeakMap<Timed, Record>();

  constructor(options: { readonly clock: Clock; readonly log: Logger; readonly events: EventStream; readonly limitMs: number }) {
    this.clock = options.clock;
    this.log = options.log;
    this.events = options.events;
    this.limitMs = options.limitMs;
    this.waiting = new Deadlines(options.clock);
  }

  /** Turns of that actor that took too long. */
  turnsOf(cell: Timed): number {
    return this.records.get(cell)?.turns ?? 0;
  }

  /** A turn that never waited is over. */
  held(cell: Timed, type: string, heldLoopMs: number): void {
    const limitMs = cell.options?.handlerMs ?? this.limitMs;
    if (heldLoopMs < limitMs) return;
    this.count(cell);
    this.tell(cell, { type, tookMs: heldLoopMs, heldLoopMs, limitMs, running: false });
  }
  /** A turn waits from now on. `begunMs`: when it began; undefined if nobody looked at the clock. */
  waits(cell: Timed, begunMs: number | undefined): void {
    if (begunMs !== undefined) {
      const nowMs = this.clock.monotonicMs();
      this.time(cell, begunMs, nowMs, nowMs - begunMs);
    } else if (cell.timed === undefined) {
      cell.timed = SOON;
      if (this.soon.push(cell) === 1) this.lookSoon();
    }
  }
  /** That turn is over. */
  done(cell: Timed): void {
    const turn = cell.timed;
    if (turn === undefined || turn === SOON) return;
    this.forget(cell);
    if (this.clock.monotonicMs() >= turn.deadlineMs) this.tellOf(turn, false);
  }
  /** That turn is no longer the actor's. */
  forget(cell: Timed): void {
    if (cell.timed === undefined || cell.timed === SOON) return;
    this.waiting.remove(cell.timed);
    cell.timed = undefined;
  }
  close(): void {
    this.cancelLook();
    this.waiting.clear();
  }

  private lookSoon(): void {
    const everyMs = this.limitMs / LOOKS;
    this.soonSinceMs = this.clock.monotonicMs();
    this.cancelLook = this.clock.after(everyMs, () => {
      // If something held the event loop meanwhile, a turn may have begun after that: none is taken to have waited since before.
      const nowMs = this.clock.monotonicMs();
      const begunMs = Math.max(this.soonSinceMs, nowMs - everyMs);
      const { soon } = this;
      this.soon = [];
      for (const cell of soon) {
        cell.timed = undefined;
        if (cell.busy) this.time(cell, begunMs, nowMs, undefined);
      }
    });
  }
  private time(cell: Timed, begunMs: number, nowMs: number, heldLoopMs: number | undefined): void {
    const turn = new WaitingTurn(this, cell, typeOf(cell.message), begunMs, heldLoopMs, cell.options?.handlerMs ?? this.limitMs);
    cell.timed = turn;
    if (turn.deadlineMs > nowMs) this.waiting.add(turn);
    else turn.expire();
  }

  /** @internal */
  expired(turn: WaitingTurn): void {
    this.count(turn.cell);
    this.tellOf(turn, true);
  }
  private tellOf({ cell, type, begunMs, heldLoopMs, limitMs }: WaitingTurn, running: boolean): void {
    const tookMs = this.clock.monotonicMs() - begunMs;
    this.tell(cell, { type, tookMs, ...(heldLoopMs === undefined ? {} : { heldLoopMs }), limitMs, running });
  }
  private count(cell: Timed): void {
    const record = this.records.get(cell);
    if (record !== undefined) record.turns++;
    else this.records.set(cell, { turns: 1, loggedAtMs: Number.NEGATIVE_INFINITY, unlogged: 0 });
  }
  private tell(
    cell: Timed,
    said: {
      readonly type: string;
      readonly tookMs: number;
      readonly heldLoopMs?: number;
      readonly limitMs: number;
      readonly running: boolean;
    },
  ): void {
    this.events.publish({ event: 'slow-handler', address: cell.shown, ...said });
    const record = this.records.get(cell);
    if (record === undefined) return;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - record.loggedAtMs < LOG_EVERY_MS) {
      record.unlogged++;
      return;
    }
    const { unlogged } = record;
    record.loggedAtMs = nowMs;
    record.unlogged = 0;
    this.log.warn({ actor: describeAddress(cell.shown), ...said, ...(unlogged === 0 ? {} : { unlogged }) }, 'a handler takes too long');
  }
}

/** A turn that holds its actor while it waits for something. */
export class WaitingTurn implements Due {
  readonly deadlineMs: number;
  bucket: Bucket | undefined = undefined;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly overtime: Overtime;
  readonly cell: Timed;
  readonly type: string;
  readonly begunMs: number;
  readonly heldLoopMs: number | undefined;
  readonly limitMs: number;

  constructor(overtime: Overtime, cell: Timed, type: string, begunMs: number, heldLoopMs: number | undefined, limitMs: number) {
    this.overtime = overtime;
    this.cell = cell;
    this.type = type;
    this.begunMs = begunMs;
    this.heldLoopMs = heldLoopMs;
    this.limitMs = limitMs;
    this.deadlineMs = begunMs + limitMs;
  }

  expire(): void {
    this.overtime.expired(this);
  }
}
