import { alarms } from './alarms.ts';
import { counters, journals, lists, registers, visitors } from './asked.ts';
import { churn } from './churn.ts';
import { letters } from './letters.ts';
import type { Load, Scene } from './load.ts';
import { notes } from './notes.ts';
import { watchers } from './watchers.ts';

/** What a cluster may have to do; each seed has some of it. */
export const LOADS = {
  counters,
  visitors,
  registers,
  lists,
  journals,
  letters,
  alarms,
  notes,
  watchers,
  churn,
} as const satisfies Readonly<Record<string, (scene: Scene) => Load>>;
export type LoadName = keyof typeof LOADS;
export const LOAD_NAMES = Object.keys(LOADS) as readonly LoadName[];
