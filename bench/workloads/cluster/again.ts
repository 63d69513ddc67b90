const LATE_MS = 60_000;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries until it works. Who repeats a write gives it an id: it has one effect, whatever became of the answer. @throws its last error */
export async function again<T>(attempt: () => Promise<T>, pauseMs = 50): Promise<T> {
  const untilMs = performance.now() + LATE_MS;
  for (;;)
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await pause(pauseMs);
    }
}
/** Looks until it is so. */
export const become = (what: string, seen: () => Promise<boolean>, pauseMs = 50): Promise<void> =>
  again(async () => {
    if (!(await seen())) throw new Error(`it did not come so far: ${what}`);
  }, pauseMs);
