import type { Fault } from './fault.ts';

export const PLAN_VERSION = 1;

/** How links are cut in the world of processes, best first: network namespaces as this user, the same with sudo, a TCP proxy for each link. */
export type Tier = 'namespaces' | 'sudo' | 'proxies';

/** Everything that a run is made from: with the seed it gives the same faults and the same operations again. `plan.json` of a report. */
export interface Plan {
  readonly version: typeof PLAN_VERSION;
  /** Its name in docs/drills.md, or that of the script. */
  readonly drill: string;
  /** 0 … 2^32 − 1. */
  readonly seed: number;
  readonly world: 'simulation' | 'processes';
  readonly nodes: number;
  /** 1 or 3; a simulation has none of its own. */
  readonly servers: number;
  /** How long faults and work go on; what a list of faults still has is left out. */
  readonly durationMs: number;
  /** By name. */
  readonly workloads: readonly string[];
  readonly faults: readonly Fault[];
}
