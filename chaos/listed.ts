import { DRILLS } from './drills/index.ts';
import { WORKLOADS } from './workloads/index.ts';

/** A drill as it is listed: what it does, which promises it is there to show, and what it takes if nobody says otherwise. */
export interface DrillRow {
  readonly name: string;
  readonly about: string;
  readonly promises: readonly string[];
  readonly nodes: number;
  readonly servers: number;
  readonly minutes: number;
  readonly workloads: readonly string[];
}
export interface WorkloadRow {
  readonly name: string;
  readonly about: string;
}

export const drills = (): readonly DrillRow[] =>
  Object.values(DRILLS).map(({ name, about, promises, nodes, servers, minutes, workloads: names }) => ({
    ...{ name, about, promises, nodes, servers, minutes },
    workloads: names,
  }));

export const workloads = (): readonly WorkloadRow[] => Object.values(WORKLOADS).map(({ name, about }) => ({ name, about }));
