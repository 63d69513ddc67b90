/** One change after the other, whatever becomes of each: what a machine is told has one writer. */
export function changesInTurn(): (change: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (change) => {
    const done = last.then(change);
    last = done.catch(() => undefined);
    return done;
  };
}
