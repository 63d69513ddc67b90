import type { Terminated } from './signal.ts';

/** Why the latest actors of this node ended, so that a late watcher hears a reason; the oldest are forgotten first. */
export class Deaths {
  private readonly reasons = new Map<number, Terminated['reason']>();
  /** The uids in order of death, as a ring. */
  private readonly order: number[] = [];
  private oldest = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  record(uid: number, reason: Terminated['reason']): void {
    this.reasons.set(uid, reason);
    if (this.order.length < this.limit) {
      this.order.push(uid);
      return;
    }
    this.reasons.delete(this.order[this.oldest] as number);
    this.order[this.oldest] = uid;
    this.oldest = (this.oldest + 1) % this.limit;
  }
  of(uid: number): Terminated['reason'] | undefined {
    return this.reasons.get(uid);
  }
}
