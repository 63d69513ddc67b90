import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { ProcessLoad } from '../actors/index.ts';
import type { MemoryUsage } from '../src/cluster/admission.ts';

// A container says less than the machine has, and none says nothing or something absurd.
const memoryLimitBytes = (): number => Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
/** V8 counts the room for young objects to its limit; what lives on, and fells the process, has only the rest. */
const YOUNG_BYTES = 3 * 16_777_216;
const heapLimitBytes = (): number => {
  const limitBytes = getHeapStatistics().heap_size_limit;
  return limitBytes > 2 * YOUNG_BYTES ? limitBytes - YOUNG_BYTES : limitBytes;
};

/** What this process uses of what it may, for whoever looks many times a second: the limits are those of now. */
export function memoryUsage(): () => MemoryUsage {
  const limits = { heapLimitBytes: heapLimitBytes(), memoryLimitBytes: memoryLimitBytes() };
  return () => {
    const { heapUsed, rss } = process.memoryUsage();
    return { heapBytes: heapUsed, rssBytes: rss, ...limits };
  };
}

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
    memoryLimitBytes,
    heapLimitBytes,
  };
}
