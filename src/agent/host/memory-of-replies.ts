import type { ReplyTo } from '../../actor/ref.ts';
import type { Outcome } from '../../actor/signal.ts';
import { NexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';

/** In the stored ring: the request had its effect, and its answer was to come later. */
const DEFERRED = new Uint8Array([0xc1]);
/** Deferred answers remembered by the activation that gives them. */
const REMEMBERED = 256;

export const encodeReply = (reply: unknown, codec: Codec): Uint8Array => codec.encode(reply === undefined ? [] : [reply]);
export const deferredReply = (): Uint8Array => DEFERRED;
const isDeferred = (stored: Uint8Array): boolean => stored.byteLength === 1 && stored[0] === DEFERRED[0];

/**
 * Repeats of requests whose answer was deferred: they join the first, and get the same answer. This part lives with the
 * activation; when that is lost, a repeat hears that the effect happened and the answer is lost, and never causes a second one.
 */
export class DeferredReplies {
  readonly #asked = new Map<string, { outcome: Outcome<unknown> | undefined; readonly waiting: ReplyTo<unknown>[] }>();

  /** The way back of the first asker; its answer goes to all who joined. */
  open(requestId: string, first: ReplyTo<unknown>): void {
    this.#asked.set(requestId, { outcome: undefined, waiting: [first] });
    const oldest = this.#asked.keys().next();
    if (this.#asked.size > REMEMBERED && oldest.done !== true) this.#asked.delete(oldest.value);
  }
  settle(requestId: string, outcome: Outcome<unknown>): void {
    const asked = this.#asked.get(requestId);
    if (asked === undefined || asked.outcome !== undefined) return;
    asked.outcome = outcome;
    for (const replyTo of asked.waiting.splice(0)) give(replyTo, outcome);
  }
  /** False: this activation knows nothing of it. */
  join(requestId: string, replyTo: ReplyTo<unknown>): boolean {
    const asked = this.#asked.get(requestId);
    if (asked === undefined) return false;
    if (asked.outcome !== undefined) give(replyTo, asked.outcome);
    else if (asked.waiting.length < REMEMBERED) asked.waiting.push(replyTo);
    else replyTo.refuse(new NexaError('overloaded', 'too many repeats of one request wait for its answer'));
    return true;
  }
}

const give = (replyTo: ReplyTo<unknown>, outcome: Outcome<unknown>): void => {
  if (outcome.ok) replyTo.tell(outcome.value);
  else replyTo.refuse(outcome.error);
};

/** What a repeat is answered from the stored ring. */
export function recalled(stored: Uint8Array, codec: Codec): Outcome<unknown> | 'deferred' {
  if (isDeferred(stored)) return 'deferred';
  const reply = codec.decode(stored);
  return { ok: true, value: Array.isArray(reply) ? reply[0] : undefined };
}
