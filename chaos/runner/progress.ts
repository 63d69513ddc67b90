import type { Fault } from '../fault.ts';

/** `opening` until the cluster is there, `starting` until the work is under way, `quiet` until all of it was answered once. */
export type Phase = 'opening' | 'starting' | 'quiet' | 'faults' | 'healing' | 'ending' | 'closing';

/** How far a drill is; told when something changes, and once a second. */
export interface Progress {
  readonly phase: Phase;
  /** On the drill's clock, milliseconds; 0 before the work began. */
  readonly atMs: number;
  /** Of the phase `faults`. */
  readonly durationMs: number;
  /** Those in force; of the plan, not what is together in them. */
  readonly faults: readonly Fault[];
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  /** What is being done, for whoever waits. */
  readonly note?: string;
}
