import type { Workload } from '../../suite/workload.ts';

export const remote: readonly Workload[] = [];
