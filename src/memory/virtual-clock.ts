import type { Clock } from '../ports/clock.ts';

/** Time that stands still until it is moved. */
export interface VirtualClock extends Clock {
  /** Moves time, firing what falls due in order of time, and of being set when due at the same time. */
  advance(ms: number): void;
  /** Fires the next timer alone, moving time to it if that is not later than `untilMs` from now. False: there is none. */
  step(untilMs?: number): boolean;
  /** Timers that wait. */
  readonly pending: number;
  /** How far away the next timer is; undefined without one. */
  readonly nextInMs: number | undefined;
  /** Sets the wall clock apart from the monotonic one, as a jump of it does. */
  jumpWall(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  over: boolean;
}
const before = (a: Timer, b: Timer) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** Timers fall due at whole 1,024ths: sums of them are exact, on the wall too, so that what is due at an instant is not a rounding later. */
const GRAIN = 1_024;

/** A clock for tests and simulations. `startMs` is what the wall shows at first. */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const heap: Timer[] = [];
  let now = 0;
  let wall = startMs;
  let order = 0;
  let waiting = 0;

  const push = (timer: Timer) => {
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  };
  const pop = () => {
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!before(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  };
  const first = () => {
    while (heap[0]?.over) pop();
    return heap[0];
  };
  const move = (toMs: number) => {
    wall += toMs - now;
    now = toMs;
  };
  const step = (untilMs = Number.POSITIVE_INFINITY) => {
    const timer = first();
    if (timer === undefined || timer.atMs > now + untilMs) return false;
    pop();
    timer.over = true;
    waiting--;
    if (timer.atMs > now) move(timer.atMs);
    timer.run();
    return true;
  };

  return {
    monotonicMs: () => now,
    wallMs: () => wall,
    bootMs: () => now,
    after(delayMs, run) {
      const timer: Timer = { atMs: Math.ceil((now + Math.max(0, delayMs)) * GRAIN) / GRAIN, order: order++, run, over: false };
      push(timer);
      waiting++;
      return () => {
        if (timer.over) return;
        timer.over = true;
        waiting--;
      };
    },
    advance(ms) {
      const endMs = now + ms;
      while (step(endMs - now)) {}
      move(endMs);
    },
    step,
    get pending() {
      return waiting;
    },
    get nextInMs() {
      const timer = first();
      return timer === undefined ? undefined : timer.atMs - now;
    },
    jumpWall(ms) {
      wall += ms;
    },
  };
}
