/** Ctrl-C or SIGTERM: the first asks for a graceful stop, a second one for now. */
export interface Signals {
  readonly first: Promise<void>;
  /** Aborted by the first. */
  readonly aborted: AbortSignal;
  onSecond(run: () => void): void;
}

export function untilSignal(): Signals {
  const controller = new AbortController();
  let second: () => void = () => process.exit(1);
  let count = 0;
  const first = new Promise<void>((resolve) => {
    const heard = (): void => {
      count++;
      if (count > 1) return second();
      controller.abort();
      resolve();
    };
    process.on('SIGINT', heard);
    process.on('SIGTERM', heard);
  });
  return {
    first,
    aborted: controller.signal,
    onSecond: (run) => {
      second = run;
    },
  };
}
