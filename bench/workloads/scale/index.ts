import type { Workload } from '../../suite/workload.ts';
import { connections } from './connections.ts';
import { create } from './create.ts';
import { manyAgents } from './many-agents.ts';
import { placeTableFill } from './place-table.ts';
import { routerCost } from './router.ts';
import { routing } from './routing.ts';
import { scaling } from './scaling.ts';
import { stream } from './stream.ts';

export const scale: readonly Workload[] = [create, manyAgents, placeTableFill, connections, scaling, stream, routing, routerCost];
