import type { Terminated } from './signal.ts';

/** Why the latest actors of this node ended, so that a late watcher hears a reason; the oldest are forgotten first. */
export class Deaths {
  private readonly reasons = new Map<number, Terminated['reason']>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  record(uid: number, reason: Terminated['reason']): void {
    if (this.reasons.size >= this.limit) {
      const oldest = this.reasons.keys().next();
      if (!oldest.done) this.reasons.delete(oldest.value);
    }
    this.reasons.set(uid, reason);
  }
  of(uid: number): Terminated['reason'] | undefined {
    return this.reasons.get(uid);
  }
}
