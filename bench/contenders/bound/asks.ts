import type { Message } from '../actors.ts';

const TICK_MS = 100;
const TIMEOUT_TICKS = 50;

/** A question on its way: what the receiver's mailbox holds of it. */
export class Ask {
  older: Ask = this;
  newer: Ask = this;
  readonly message: Message | undefined;
  readonly resolve: ((answer: unknown) => void) | undefined;
  readonly reject: ((error: Error) => void) | undefined;
  readonly asked: number;
  constructor(message?: Message, resolve?: (answer: unknown) => void, reject?: (error: Error) => void, asked = 0) {
    this.message = message;
    this.resolve = resolve;
    this.reject = reject;
    this.asked = asked;
  }
}

/** Those that wait, a chain from the oldest to the newest: with one timeout for all that is the order in which they are late. */
export class Asks {
  private readonly ends = new Ask();
  private now = 0;
  private readonly ticking = setInterval(() => this.tick(), TICK_MS).unref();

  open(message: Message, resolve: (answer: unknown) => void, reject: (error: Error) => void): Ask {
    const ask = new Ask(message, resolve, reject, this.now);
    ask.older = this.ends.older;
    ask.newer = this.ends;
    this.ends.older.newer = ask;
    this.ends.older = ask;
    return ask;
  }
  answer(ask: Ask, answer: unknown): void {
    this.close(ask);
    ask.resolve?.(answer);
  }
  stop(): void {
    clearInterval(this.ticking);
  }

  private close(ask: Ask): void {
    ask.older.newer = ask.newer;
    ask.newer.older = ask.older;
    // A second time, as when an answer comes late, does nothing.
    ask.older = ask.newer = ask;
  }
  private tick(): void {
    this.now++;
    for (let oldest = this.ends.newer; oldest !== this.ends && oldest.asked + TIMEOUT_TICKS < this.now; oldest = this.ends.newer) {
      this.close(oldest);
      oldest.reject?.(new Error('timeout'));
    }
  }
}
