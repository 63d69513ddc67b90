import type { Request } from '../../src/actor/message.ts';
import type { Level } from './check.ts';

/** How one thing that is looked at was found the last time. */
export interface CheckState {
  readonly name: string;
  readonly level: Level;
  /** Null until it could be told. */
  readonly value: number | null;
  readonly unit: string;
  readonly warn: number;
  readonly critical: number;
  /** Since when it is at this level, by the node's wall clock; null until it could be told. */
  readonly sinceMs: number | null;
}
export interface Health {
  /** The worst of its checks; unknown when nothing was looked at of late. */
  readonly level: Level | 'unknown';
  /** When it was last looked, by the node's wall clock. */
  readonly checkedAtMs: number | null;
  readonly checks: readonly CheckState[];
}
/** What one look found; undefined where it cannot be told. */
export interface Finding {
  readonly name: string;
  readonly value: number | undefined;
}

export type HealthMessage =
  | Request<{ readonly type: 'health' }, Health>
  /** From its own loop. */
  | { readonly type: 'found'; readonly findings: readonly Finding[] };
