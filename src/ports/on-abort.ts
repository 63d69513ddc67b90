interface Listened {
  readonly waiting: Set<() => void>;
  readonly forget: () => void;
}

const listened = new WeakMap<AbortSignal, Listened>();

/**
 * Calls `run`, which does not throw, once the signal aborts; not if it has aborted already, and not after the answered function was called.
 * However many wait, a signal has one listener, and none when the last has left: who asks many at once under one `context.signal` leaks
 * nothing, and Node, which warns of more than ten listeners, has nothing to warn of.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const { waiting, forget } = listened.get(signal) ?? listen(signal);
  waiting.add(run);
  return () => {
    if (waiting.delete(run) && waiting.size === 0) forget();
  };
}

function listen(signal: AbortSignal): Listened {
  const waiting = new Set<() => void>();
  const heard = (): void => {
    listened.delete(signal);
    // Whoever leaves meanwhile is not called any more.
    for (const run of waiting) run();
  };
  signal.addEventListener('abort', heard, { once: true });
  const forget = (): void => {
    listened.delete(signal);
    signal.removeEventListener('abort', heard);
  };
  const made = { waiting, forget };
  listened.set(signal, made);
  return made;
}
