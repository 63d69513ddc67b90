import type { NexaError } from '../../errors.ts';
import type { Cancel } from '../ref.ts';
import type { Cell } from './cell.ts';
import { crashesOf } from './crashes.ts';

/**
 * A restart in progress: one child, or several that share a fate. They are wound down one by one in reverse order, wait for the
 * back-off, and start one by one in order. A later failure among them replaces the group by a new one.
 */
export class RestartGroup {
  /** In start order. */
  private readonly members: readonly Cell[];
  private readonly error: NexaError;
  private readonly delayMs: number;
  private at: number;
  private disarm: Cancel | undefined = undefined;
  private phase: 'halting' | 'waiting' | 'starting' | 'over' = 'halting';

  constructor(members: readonly Cell[], error: NexaError, delayMs: number) {
    this.members = members;
    this.error = error;
    this.delayMs = delayMs;
    this.at = members.length;
    for (const member of members) {
      member.group?.cancel();
      member.group = this;
    }
  }

  haltNext(): void {
    while (this.phase === 'halting' && --this.at >= 0) {
      const member = this.members[this.at] as Cell;
      if (member.wantsStop || member.winding?.phase === 'over') continue;
      member.halt();
      return;
    }
    if (this.phase !== 'halting') return;
    this.phase = 'waiting';
    if (this.delayMs <= 0) this.startFirst();
    else this.disarm = this.members[0]?.system.clock.after(this.delayMs, () => this.startFirst());
  }
  halted(cell: Cell): void {
    if (this.phase === 'halting' && cell === this.members[this.at]) this.haltNext();
  }
  started(cell: Cell): void {
    if (this.phase === 'starting' && cell === this.members[this.at]) this.startNext();
  }
  /** It will not restart: the others need not wait for it. */
  gone(cell: Cell): void {
    this.halted(cell);
    this.started(cell);
    if (this.phase === 'waiting' && this.members.every((member) => member.wantsStop)) this.cancel();
  }
  cancel(): void {
    this.phase = 'over';
    this.disarm?.();
  }

  private startFirst(): void {
    if (this.phase !== 'waiting') return;
    this.phase = 'starting';
    this.at = -1;
    this.startNext();
  }
  private startNext(): void {
    while (this.phase === 'starting' && ++this.at < this.members.length) {
      const member = this.members[this.at] as Cell;
      if (member.wantsStop) continue;
      crashesOf(member).restarts++;
      member.begin();
      member.system.events.publish({
        event: 'restarted',
        address: member.shown,
        error: this.error,
        restarts: member.restarts,
        delayMs: this.delayMs,
      });
      member.system.counters.restarts++;
      return;
    }
    if (this.phase !== 'starting') return;
    this.phase = 'over';
    for (const member of this.members) if (member.group === this) member.group = undefined;
  }
}
