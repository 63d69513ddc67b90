import type { Clock } from '../ports/clock.ts';

/** Runs something off the caller's stack, soon and in order. */
export type Soon = (run: () => void) => void;

/** One turn of the given `defer` takes everything that was ready when it began: work that makes work never starves the process. */
export function batched(defer: Soon): Soon {
  let ready: (() => void)[] = [];
  const flush = (): void => {
    const batch = ready;
    ready = [];
    let index = 0;
    try {
      while (index < batch.length) batch[index++]?.();
    } finally {
      if (index < batch.length) {
        if (ready.length === 0) defer(flush);
        ready = [...batch.slice(index), ...ready];
      }
    }
  };
  return (run) => {
    if (ready.push(run) === 1) defer(flush);
  };
}

interface Parcel {
  readonly dueMs: number;
  readonly run: () => void;
  readonly lost: (() => void) | undefined;
}

/** Timers may fire a fraction early; without the tolerance a virtual clock would be asked to wait for less than it can count. */
const TOLERANCE_MS = 0.5;

/** First in, first out, whatever the delays: a slow parcel holds up those behind it, as on one TCP connection. */
export class Link {
  readonly #clock: Clock;
  readonly #soon: Soon;
  #queue: Parcel[] = [];
  #lastDueMs = Number.NEGATIVE_INFINITY;
  #armed = false;

  constructor(clock: Clock, soon: Soon) {
    this.#clock = clock;
    this.#soon = soon;
  }

  /** `lost` runs instead of `run` when the link is cleared before. */
  push(delayMs: number, run: () => void, lost?: () => void): void {
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#clock.monotonicMs() + delayMs);
    this.#queue.push({ dueMs: this.#lastDueMs, run, lost });
    if (!this.#armed) this.#arm();
  }

  clear(): void {
    const lost = this.#queue;
    this.#queue = [];
    for (const parcel of lost) parcel.lost?.();
  }

  #arm(): void {
    const head = this.#queue[0];
    if (head === undefined) return;
    this.#armed = true;
    const waitMs = head.dueMs - this.#clock.monotonicMs();
    if (waitMs <= TOLERANCE_MS) this.#soon(this.#deliver);
    else this.#clock.after(waitMs, this.#deliver);
  }

  readonly #deliver = (): void => {
    const nowMs = this.#clock.monotonicMs() + TOLERANCE_MS;
    let ready = 0;
    while (ready < this.#queue.length && (this.#queue[ready] as Parcel).dueMs <= nowMs) ready++;
    const batch = this.#queue.splice(0, ready);
    let index = 0;
    try {
      while (index < batch.length) batch[index++]?.run();
    } finally {
      if (index < batch.length) this.#queue.unshift(...batch.slice(index));
      this.#armed = false;
      this.#arm();
    }
  };
}
