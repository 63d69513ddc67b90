import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { ProcessLoad } from '../actors/index.ts';

/** What this process uses, for the monitor. `cpu` counts since it was last read: one reader only. */
export function processLoad(): Omit<ProcessLoad, 'lag' | 'nats'> {
  let used = process.cpuUsage();
  let atMs = performance.now();
  let share = 0;
  return {
    cpu: () => {
      const nowMs = performance.now();
      // Shorter than a millisecond there is nothing to divide by.
      if (nowMs - atMs < 1) return share;
      const { user, system } = process.cpuUsage(used);
      share = Math.round((user + system) / (nowMs - atMs)) / 1_000;
      used = process.cpuUsage();
      atMs = nowMs;
      return share;
    },
    rssBytes: () => process.memoryUsage.rss(),
    heapBytes: () => process.memoryUsage().heapUsed,
    externalBytes: () => process.memoryUsage().external,
    // A container says less than the machine has, and none says nothing or something absurd.
    memoryLimitBytes: () => Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()),
    heapLimitBytes: () => getHeapStatistics().heap_size_limit,
  };
}
