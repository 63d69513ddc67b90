import { NexaError } from '../errors.ts';

/** What waits until it may begin. */
export interface Turn {
  readonly bytes: number;
  /** It may; {@link Gate.leave} says when it is through. */
  begin(): void;
}

/** At most so many at a time, in order; a bounded queue before it. */
export class Gate {
  readonly #options: { readonly inFlight: number; readonly queued: number; readonly queuedBytes: number; readonly what: string };
  readonly #waiting = new Set<Turn>();
  #inFlight = 0;
  #queuedBytes = 0;
  #handsOn = false;

  constructor(options: { readonly inFlight: number; readonly queued: number; readonly queuedBytes: number; readonly what: string }) {
    this.#options = options;
  }

  /** It begins at once, or when its turn comes. @throws NexaError `overloaded` */
  enter(turn: Turn): void {
    const { inFlight, queued, queuedBytes, what } = this.#options;
    if (this.#inFlight < inFlight) {
      this.#inFlight++;
      turn.begin();
      return;
    }
    if (this.#waiting.size >= queued || this.#queuedBytes + turn.bytes > queuedBytes)
      throw new NexaError('overloaded', `${this.#waiting.size} ${what} of ${this.#queuedBytes} bytes wait already`);
    this.#waiting.add(turn);
    this.#queuedBytes += turn.bytes;
  }
  /** It has not begun, and never will. */
  forget(turn: Turn): void {
    if (this.#waiting.delete(turn)) this.#queuedBytes -= turn.bytes;
  }
  /** One that began is through. The place is handed on at once, so that nobody overtakes the queue. */
  leave(): void {
    this.#inFlight--;
    // What is through as soon as it begins would else go as deep as the queue is long.
    if (this.#handsOn) return;
    this.#handsOn = true;
    for (const next of this.#waiting) {
      if (this.#inFlight >= this.#options.inFlight) break;
      this.forget(next);
      this.#inFlight++;
      next.begin();
    }
    this.#handsOn = false;
  }
}
