import type { Workload } from '../suite/workload.ts';
import { mixed } from './local/mixed.ts';

/** In the order of docs/benchmarks.md. */
export const workloads: readonly Workload[] = [mixed];
