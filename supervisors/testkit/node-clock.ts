import type { VirtualClock } from '../../src/memory/virtual-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** No timer is finer: what is left by rounding would be waited for without end. */
const LEAST_MS = 0.001;

/**
 * One machine's view of time. Its rate differs from the others', its wall clock jumps, and its process may be stopped: then no
 * timer of it fires until it goes on. A suspended machine's monotonic clock stands still meanwhile; boot and wall time do not.
 */
export class NodeClock implements Clock {
  /** Nothing of a crashed process ever runs again. */
  dead = false;
  readonly #base: VirtualClock;
  #rate: number;
  #anchor = { baseMs: 0, ownMs: 0 };
  #wallOffsetMs = 0;
  #asleepMs = 0;
  #stopped: { readonly runs: (() => void)[]; readonly asleepSinceMs: number | undefined } | undefined;

  constructor(base: VirtualClock, rate: number) {
    this.#base = base;
    this.#rate = rate;
  }

  monotonicMs = (): number => {
    const sinceMs = this.#stopped?.asleepSinceMs;
    return (sinceMs ?? this.bootMs()) - this.#asleepMs;
  };
  wallMs = (): number => this.#base.wallMs() + this.#wallOffsetMs;
  bootMs = (): number => this.#anchor.ownMs + (this.#base.monotonicMs() - this.#anchor.baseMs) * this.#rate;

  after(delayMs: number, run: () => void): () => void {
    let over = false;
    const fire = (): void => {
      if (over || this.dead) return;
      if (this.#stopped !== undefined) this.#stopped.runs.push(fire);
      else {
        over = true;
        run();
      }
    };
    const cancel = this.#base.after(delayMs <= 0 ? 0 : Math.max(delayMs, LEAST_MS) / this.#rate, fire);
    return () => {
      over = true;
      cancel();
    };
  }

  /** SIGSTOP; `asleep`: the whole machine. */
  pause(asleep = false): void {
    this.#stopped ??= { runs: [], asleepSinceMs: asleep ? this.bootMs() : undefined };
  }
  resume(): void {
    const stopped = this.#stopped;
    if (stopped === undefined) return;
    this.#stopped = undefined;
    if (stopped.asleepSinceMs !== undefined) this.#asleepMs += this.bootMs() - stopped.asleepSinceMs;
    for (const run of stopped.runs) this.#base.after(0, run);
  }
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
  /** From now on. */
  setRate(rate: number): void {
    this.#anchor = { ownMs: this.bootMs(), baseMs: this.#base.monotonicMs() };
    this.#rate = rate;
  }
}
