import type { Workload } from '../../suite/workload.ts';
import { ask } from './ask.ts';
import { delivery } from './delivery.ts';
import { publicRequest } from './public-request.ts';
import { tell } from './tell.ts';

export const remote: readonly Workload[] = [ask, tell, delivery, publicRequest];
