/** Bounds how long an engine waits that has left the rest to the next turn of the event loop. */
const STEPS_A_TURN = 32;

/** Runs `step` until it says false, each time as an immediate of its own. */
export function inImmediates(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    const guarded = (): void => {
      if (over) return;
      try {
        over = !step();
        if (over) resolve();
      } catch (error) {
        over = true;
        reject(error);
      }
    };
    const turn = (): void => {
      for (let each = 0; each < STEPS_A_TURN; each++) setImmediate(guarded);
      setImmediate(() => {
        if (!over) turn();
      });
    };
    turn();
  });
}
