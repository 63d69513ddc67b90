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

/** Resident memory is read from a file: a process that may open none is told what it was before. */
function residentBytes(): () => number {
  let lastBytes = 0;
  return () => {
    try {
      lastBytes = process.memoryUsage.rss();
    } catch {
      // EMFILE: no reason for a node to end.
    }
    return lastBytes;
  };
}

/** What this process uses of what it may, for whoever looks many times a second: the limits are those of now. */
export function memoryUsage(): () => MemoryUsage {
  const limits = { heapLimitBytes: heapLimitBytes(), memoryLimitBytes: memoryLimitBytes() };
  const rssBytes = residentBytes();
  return () => ({ heapBytes: getHeapStatistics().used_heap_size, rssBytes: rssBytes(), ...limits });
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
    rssBytes: residentBytes(),
    heapBytes: () => getHeapStatistics().used_heap_size,
    externalBytes: () => getHeapStatistics().external_memory,
    memoryLimitBytes,
    heapLimitBytes,
  };
}
