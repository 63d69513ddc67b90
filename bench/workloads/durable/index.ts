import type { Workload } from '../../suite/workload.ts';
import { append } from './append.ts';
import { spawn } from './spawn.ts';
import { state } from './state.ts';

export const durable: readonly Workload[] = [append, state, spawn];
