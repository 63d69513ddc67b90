import type { Address } from '../../actor/address.ts';
import { type Guard, Mail } from '../../actor/envelope.ts';
import type { Source } from '../../durable/turn.ts';
import { NexaError } from '../../errors.ts';

/** Instead of a message: nothing is handled, and the source is stored as handled. */
export const SKIPPED = Symbol('nexa.skipped');

/** A message that nobody waits for but its source: its turn is stored together with it, and that is what settles it. */
export class TakenMail extends Mail {
  override readonly guard: Guard;
  override readonly traceparent: string | undefined;
  readonly source: Source;
  readonly stored: Promise<void>;
  /** Its handler was called. */
  begun = false;
  #settle: { readonly resolve: () => void; readonly reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };

  constructor(to: Address, message: unknown, source: Source, traceparent: string | undefined) {
    super(to, message, undefined);
    this.traceparent = traceparent;
    this.source = source;
    this.stored = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.stored.catch(() => undefined);
    this.guard = {
      take: () => true,
      lost: () => this.settle(new NexaError('not-owner', 'its activation has ended here')),
      shed: () => this.settle(new NexaError('mailbox-full', 'it was dropped for a newer message')),
    };
  }
  /** The first word counts. */
  settle(error?: NexaError): void {
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}
