import type { Workload } from '../../suite/workload.ts';
import { ask } from './ask.ts';
import { asyncPingPong } from './async.ts';
import { fanIn } from './fan-in.ts';
import { pingPong } from './ping-pong.ts';
import { tell } from './tell.ts';

export const local: readonly Workload[] = [tell, fanIn, ask, asyncPingPong, pingPong];
