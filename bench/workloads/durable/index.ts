import type { Workload } from '../../suite/workload.ts';

export const durable: readonly Workload[] = [];
