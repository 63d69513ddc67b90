import type { Workload } from '../../suite/workload.ts';
import { children } from './children.ts';
import { flood } from './flood.ts';
import { idle } from './idle.ts';
import { restart } from './restart.ts';
import { spawnStop } from './spawn-stop.ts';

export const life: readonly Workload[] = [spawnStop, idle, restart, flood, children];
