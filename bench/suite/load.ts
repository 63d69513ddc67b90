/** So often in all, by so many at once: each lane does one after the other. */
export async function inFlight(lanes: number, total: number, run: (lane: number) => Promise<unknown>): Promise<void> {
  let left = total;
  const go = async (_: unknown, lane: number): Promise<void> => {
    while (left-- > 0) await run(lane);
  };
  await Promise.all(Array.from({ length: lanes }, go));
}

/** The value that so large a share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Of this process so far, all its threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
