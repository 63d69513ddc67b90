import { NexaError } from '../../errors.ts';
import { type Guard, OwnMail } from '../envelope.ts';
import type { Cancel } from '../ref.ts';
import type { Cell } from './cell.ts';

const MOST_TIMERS = 10_000;
const LONGEST_DELAY_MS = 2 ** 53;

/** The timers of one incarnation; they die with it (L5). A tick that was not handled yet is not followed by another. */
export class Timers {
  private readonly cell: Cell;
  private readonly all = new Set<Timer>();
  private readonly keyed = new Map<string, Timer>();

  constructor(cell: Cell) {
    this.cell = cell;
  }

  /** @throws NexaError `invalid-definition` for a delay that is none, `overloaded` above 10,000 timers. */
  start(delayMs: number, intervalMs: number | undefined, message: unknown, key: string | undefined): Cancel {
    if (!(delayMs >= 0 && delayMs <= LONGEST_DELAY_MS) || (intervalMs !== undefined && intervalMs < 1)) {
      throw new NexaError('invalid-definition', 'a delay has 0 to 2^53 ms, an interval at least 1', {
        where: { ...this.cell.where, delayMs: String(delayMs) },
      });
    }
    if (key !== undefined) this.keyed.get(key)?.cancel();
    if (this.all.size >= MOST_TIMERS)
      throw new NexaError('overloaded', `an actor has at most ${MOST_TIMERS} timers`, { where: this.cell.where });
    const timer = new Timer(this.cell, this, message, intervalMs, key);
    this.all.add(timer);
    if (key !== undefined) this.keyed.set(key, timer);
    timer.arm(delayMs);
    return () => timer.cancel();
  }

  get count(): number {
    return this.all.size;
  }
  forget(timer: Timer): void {
    this.all.delete(timer);
    if (timer.key !== undefined && this.keyed.get(timer.key) === timer) this.keyed.delete(timer.key);
  }
  cancelAll(): void {
    for (const timer of [...this.all]) timer.cancel();
  }
}

class Timer implements Guard {
  readonly key: string | undefined;
  private readonly cell: Cell;
  private readonly timers: Timers;
  private readonly message: unknown;
  private readonly intervalMs: number | undefined;
  private over = false;
  private waits = false;
  private dueMs = 0;
  private disarm: Cancel | undefined = undefined;

  constructor(cell: Cell, timers: Timers, message: unknown, intervalMs: number | undefined, key: string | undefined) {
    this.cell = cell;
    this.timers = timers;
    this.message = message;
    this.intervalMs = intervalMs;
    this.key = key;
  }

  arm(delayMs: number): void {
    this.dueMs = this.cell.system.clock.monotonicMs() + delayMs;
    this.disarm = this.cell.system.clock.after(delayMs, () => this.fire());
  }
  cancel(): void {
    this.over = true;
    this.disarm?.();
    this.timers.forget(this);
  }
  take(): boolean {
    this.waits = false;
    if (this.over) return false;
    if (this.intervalMs === undefined) this.cancel();
    return true;
  }

  private fire(): void {
    if (this.over) return;
    if (this.intervalMs !== undefined) {
      const now = this.cell.system.clock.monotonicMs();
      // Ticks that were missed are not caught up, and the beat stays where it was.
      const behind = Math.max(0, Math.floor((now - this.dueMs) / this.intervalMs));
      this.arm(Math.max(0, this.dueMs + (behind + 1) * this.intervalMs - now));
    }
    if (this.waits) return;
    this.waits = true;
    this.cell.offer(new OwnMail(this.cell.address, this.message, this));
  }
}
