import type { Node } from './node.ts';
import { RunQueue } from './run-queue.ts';

export interface DispatcherOptions {
  /**
   * When a drain begins. `immediate`: in the next check phase, so that I/O always comes between. `hybrid` (default): as a
   * microtask, as long as the messages of this turn of the event loop are within the budget; best for asks and async handlers.
   */
  readonly mode?: 'hybrid' | 'immediate';
  /** Messages of one actor back to back. Default 64. */
  readonly throughput?: number;
  /** Messages per drain. Default 4,096. */
  readonly budget?: number;
  /** Time per drain. Default 4; a simulation gives Infinity, so that no clock decides anything. */
  readonly sliceMs?: number;
  readonly now?: () => number;
  /** Later, after I/O. Default: setImmediate. */
  readonly defer?: (run: () => void) => void;
  /** Soon, before I/O. Default: a microtask. */
  readonly microtask?: (run: () => void) => void;
  /** A turn threw, which is a defect of the runtime: an actor's own errors never come this far. */
  readonly onError?: (error: unknown) => void;
}

/** Its `then` is a microtask at a third of the price of `queueMicrotask`, which makes an asynchronous resource for each. */
const SETTLED = Promise.resolve();
/** Messages between two looks at the clock: few while they take time, more while they do not. */
const LOOK_EVERY = 32;
const LOOK_AT_MOST_EVERY = 512;

/** Who takes a turn when: one queue for a whole engine, so that fairness and the time left to I/O do not depend on the actors. */
export class Dispatcher {
  private readonly system = new RunQueue();
  private readonly user = new RunQueue();
  private readonly hybrid: boolean;
  private readonly throughput: number;
  private readonly budget: number;
  private readonly sliceMs: number;
  private readonly now: () => number;
  private readonly defer: (run: () => void) => void;
  private readonly microtask: (run: () => void) => void;
  private readonly onError: (error: unknown) => void;
  private armed = false;
  private stopped = false;
  /** Messages taken in microtasks since the event loop last went round. */
  private eager = 0;
  private marked = false;
  private lookEvery = LOOK_EVERY;

  constructor(options: DispatcherOptions) {
    this.hybrid = (options.mode ?? 'hybrid') === 'hybrid';
    this.throughput = options.throughput ?? 64;
    this.budget = options.budget ?? 4_096;
    this.sliceMs = options.sliceMs ?? 4;
    this.now = options.now ?? (() => performance.now());
    this.defer = options.defer ?? ((run) => void setImmediate(run));
    this.microtask = options.microtask ?? ((run) => void SETTLED.then(run));
    this.onError = options.onError ?? (() => {});
  }

  get idle(): boolean {
    return this.system.empty && this.user.empty;
  }

  ready(node: Node): void {
    this.user.push(node);
    if (!this.armed) this.arm();
  }
  urgent(node: Node): void {
    this.system.push(node);
    if (!this.armed) this.arm();
  }
  stop(): void {
    this.stopped = true;
    this.system.clear();
    this.user.clear();
  }

  private arm(): void {
    if (this.stopped) return;
    this.armed = true;
    if (this.hybrid && this.eager < this.budget) this.microtask(this.drainEagerly);
    else this.defer(this.drainDeferred);
  }
  private readonly drainEagerly = (): void => {
    if (!this.marked) {
      this.marked = true;
      this.defer(this.wentRound);
    }
    this.eager += this.drain();
  };
  private readonly drainDeferred = (): void => {
    this.drain();
  };
  private readonly wentRound = (): void => {
    this.marked = false;
    this.eager = 0;
  };

  private drain(): number {
    const { system, user, throughput, budget } = this;
    let taken = 0;
    let lookAt = this.lookEvery;
    let lastMs = 0;
    let endMs = 0;
    while (taken < budget && !this.stopped) {
      const urgent = !system.empty;
      const node = urgent ? system.shift() : user.shift();
      if (node === undefined) break;
      try {
        // A turn without a message costs something too.
        taken += node.turn(urgent, throughput) || 1;
      } catch (error) {
        taken++;
        this.onError(error);
      }
      if (taken >= lookAt) {
        const now = this.now();
        if (endMs === 0) endMs = now + this.sliceMs;
        else if (now > endMs) {
          this.lookEvery = LOOK_EVERY;
          break;
        } else this.lookEvery = now - lastMs < this.sliceMs / 16 ? Math.min(2 * this.lookEvery, LOOK_AT_MOST_EVERY) : LOOK_EVERY;
        lastMs = now;
        lookAt = taken + this.lookEvery;
      }
    }
    if (this.idle || this.stopped) this.armed = false;
    else this.defer(this.drainDeferred);
    return taken;
  }
}
