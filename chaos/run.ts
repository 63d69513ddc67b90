import type { PublicEvent } from '../src/client.ts';
import type { Act, Place } from './act.ts';
import type { Stamped } from './checkers/epochs.ts';
import type { Fault } from './fault.ts';
import type { Plan, Tier } from './plan.ts';
import type { WorkRecord } from './workloads/work.ts';
import type { Exit } from './world.ts';

/**
 * All that was seen of a run, and nothing of what is thought of it: judged and reported from this alone, at once or from its folder. Times
 * are milliseconds of the drill's monotonic clock; 0 is when the drill began, before its work.
 */
export interface Run {
  readonly plan: Plan;
  readonly tier: Tier | undefined;
  /** Wall clock, ISO 8601; of a simulation the virtual one. */
  readonly startedAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly faults: readonly FaultRun[];
  readonly acts: readonly Acted[];
  readonly works: readonly WorkRecord[];
  /** What nodes told; at most once, and nothing while they were cut off. */
  readonly events: readonly Heard[];
  /** Where agents were: before and after each fault, and at the end. */
  readonly placements: readonly Placement[];
  /** Durable records as they were written, in the store's order. */
  readonly records: readonly Stamped[];
  readonly exits: readonly Exit[];
  /** When the last fault ended; everything after it has to work again. */
  readonly healedAtMs: number;
  /** When it was all seen to work again; undefined: it was not. */
  readonly recoveredAtMs: number | undefined;
  readonly endedAtMs: number;
  /** What each node takes the members to be, at the end. */
  readonly views: Readonly<Record<Place, readonly string[]>>;
  /** What ought to be empty at the end, by name. */
  readonly queues: Readonly<Record<string, number>>;
  /** Processes, ports, consumers, files that were left behind. */
  readonly leaks: readonly string[];
  /** Why it cannot be judged as a whole; then it is `unknown` at best. */
  readonly incomplete: readonly string[];
}

export interface FaultRun {
  readonly fault: Fault;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whom it met, in the order of the acts. */
  readonly met: readonly Place[];
  /** Why it was left out, if it was. */
  readonly skipped?: string;
}

export interface Acted {
  readonly act: Act;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Heard {
  readonly atMs: number;
  readonly event: PublicEvent;
}

export interface Placement {
  readonly atMs: number;
  readonly agents: readonly { readonly agent: string; readonly node: Place | null; readonly epoch: number }[];
}
