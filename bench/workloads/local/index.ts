import type { Workload } from '../../suite/workload.ts';
import { mixed } from './mixed.ts';

export const local: readonly Workload[] = [mixed];
