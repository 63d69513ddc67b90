import type { Limit, Machines } from './limit.ts';

/** What a stage is opened with, as far as it concerns limits. */
export type OpenLimit = (machines: Machines) => Promise<Limit>;

/** Every kind of limit that there is. */
export const LIMITS: readonly OpenLimit[] = [];
