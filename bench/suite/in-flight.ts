/** Runs 0 … count - 1, so many of them at a time: each lane begins its next one when one is through. */
export async function inFlight(lanes: number, count: number, run: (index: number, lane: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const go = async (_: unknown, lane: number): Promise<void> => {
    while (next < count) await run(next++, lane);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, go));
}
