import type { Workload } from '../../suite/workload.ts';

export const scale: readonly Workload[] = [];
