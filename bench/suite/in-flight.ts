/** Runs 0 … count - 1, so many of them at a time: the next one begins when one is through. */
export async function inFlight(atOnce: number, count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
