import type { Cancel } from '../ref.ts';
import type { Cell } from './cell.ts';
import { arrive } from './watching.ts';

/** Signals `idle` after a time without a user message, and again after each further such time. One timer, however many messages. */
export class IdleWatch {
  private readonly cell: Cell;
  private readonly afterMs: number;
  private lastMs: number;
  private disarm: Cancel;

  constructor(cell: Cell, afterMs: number) {
    this.cell = cell;
    this.afterMs = afterMs;
    this.lastMs = cell.system.clock.monotonicMs();
    this.disarm = cell.system.clock.after(afterMs, () => this.look());
  }

  touched(): void {
    this.lastMs = this.cell.system.clock.monotonicMs();
  }
  end(): void {
    this.disarm();
  }

  private look(): void {
    const now = this.cell.system.clock.monotonicMs();
    const working = this.cell.busy || this.cell.mailbox.size > 0 || this.cell.state !== 'running';
    if (working) this.lastMs = now;
    const left = this.lastMs + this.afterMs - now;
    if (left <= 0) {
      this.lastMs = now;
      arrive(this.cell, { signal: 'idle' });
    }
    this.disarm = this.cell.system.clock.after(left <= 0 ? this.afterMs : left, () => this.look());
  }
}
