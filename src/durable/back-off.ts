import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

const FIRST_MS = 50;
const LONGEST_MS = 1_600;

/** Waits between two tries at the store: longer each time, jittered, so that those who wait for one election do not return together. */
export class BackOff {
  readonly #clock: Clock;
  readonly #random: Random;
  #nextMs = FIRST_MS;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** `mostMs`: what is left to whoever waits. */
  async pause(mostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const waitMs = Math.min(this.#nextMs * (0.5 + this.#random.next()), mostMs);
    this.#nextMs = Math.min(this.#nextMs * 2, LONGEST_MS);
    await new Promise<void>((resolve) => {
      this.#clock.after(waitMs, resolve);
    });
  }
}
