import type { Workload } from '../../suite/workload.ts';
import { failover } from './failover.ts';
import { moving } from './moving.ts';
import { up } from './up.ts';

export const cluster: readonly Workload[] = [up, failover, moving];
