/** What this process uses, for the monitor. `cpu` counts since it was last read: one reader only. */
export function processLoad(): { readonly cpu: () => number; readonly rssBytes: () => number; readonly heapBytes: () => number } {
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
  };
}
