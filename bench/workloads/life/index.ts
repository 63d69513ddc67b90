import type { Workload } from '../../suite/workload.ts';

export const life: readonly Workload[] = [];
