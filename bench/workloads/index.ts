import type { Workload } from '../suite/workload.ts';
import { cluster } from './cluster/index.ts';
import { durable } from './durable/index.ts';
import { life } from './life/index.ts';
import { local } from './local/index.ts';
import { remote } from './remote/index.ts';
import { scale } from './scale/index.ts';

/** As docs/benchmarks.md has them: a block for each section, which holds its workloads in this order. */
export const sections: Readonly<Record<string, readonly Workload[]>> = { local, life, remote, durable, cluster, scale };
export const workloads: readonly Workload[] = Object.values(sections).flat();
