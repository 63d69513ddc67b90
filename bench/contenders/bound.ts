import type { Actors, Message, Ref } from './actors.ts';

/** What Node runs of one loop turn to the next: I/O comes between, as in the others. */
const BUDGET = 4_096;
type Handler = (context: unknown, message: Message) => unknown;

/**
 * The least that is still an actor: a queue of its own, one message at a time, never on the sender's stack, in turns that let I/O
 * through. No supervision, no watch, no bound, no timeout, no name: what JavaScript itself allows, written by hand.
 */
export function bound(): Actors {
  let ready: Mailbox[] = [];
  let armed = false;
  const drain = (): void => {
    let left = BUDGET;
    let at = 0;
    for (; at < ready.length && left > 0; at++) left -= (ready[at] as Mailbox).run();
    ready = ready.slice(at);
    if (ready.length > 0) setImmediate(drain);
    else armed = false;
  };
  class Mailbox implements Ref {
    #queue: Message[] = [];
    #head = 0;
    readonly #handler: Handler;
    constructor(handler: Handler) {
      this.#handler = handler;
    }
    tell(message: Message): void {
      if (this.#queue.push(message) > 1) return;
      ready.push(this);
      if (armed) return;
      armed = true;
      setImmediate(drain);
    }
    run(): number {
      let done = 0;
      while (done < 64 && this.#head < this.#queue.length) {
        this.#handler(undefined, this.#queue[this.#head++] as Message);
        done++;
      }
      if (this.#head < this.#queue.length) ready.push(this);
      else {
        this.#queue.length = 0;
        this.#head = 0;
      }
      return done;
    }
  }
  return {
    spawn(handler) {
      const made: Ref = new Mailbox((_context, message) => {
        const answer = handler(made, message);
        (message.resolve as ((answer: unknown) => void) | undefined)?.(answer);
      });
      return made;
    },
    ask: (ref, message) => new Promise((resolve) => ref.tell({ ...message, resolve })),
    stop() {},
    async end() {},
    send: 'REF.tell(MESSAGE)',
    spawnFamily(sources, { refs, counter }) {
      for (const source of sources) refs.push(new Mailbox(new Function('refs', 'counter', source)(refs, counter) as Handler));
    },
    tellRaw: (ref, message) => (ref as Ref).tell(message),
  };
}
