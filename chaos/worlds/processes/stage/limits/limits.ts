import { cpu } from './cpu.ts';
import { credentials } from './credentials.ts';
import { descriptors } from './descriptors.ts';
import { disk } from './disk.ts';
import type { Limit, Machines } from './limit.ts';
import { memory } from './memory.ts';
import { storeCopy } from './store-copy.ts';
import { wallClock } from './wall-clock.ts';

/** What a stage is opened with, as far as it concerns limits. */
export type OpenLimit = (machines: Machines) => Promise<Limit>;

/** Every kind of limit that there is. */
export const LIMITS: readonly OpenLimit[] = [descriptors, memory, cpu, storeCopy, wallClock, disk, credentials];
