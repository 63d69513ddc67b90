import type { Actors, Asked, Families, Message, Ref, Stopped } from './actors.ts';
import { Ask, Asks } from './bound/asks.ts';
import { Ring } from './bound/ring.ts';

/** Messages from one turn of Node's loop to the next: I/O comes between, as in ours. */
const BUDGET = 4_096;
/** Messages of one actor back to back. */
const THROUGHPUT = 64;
const STOP = Symbol('stop');
type Handler = (context: unknown, message: never) => unknown;

/**
 * The least that is still an actor: a queue of its own, one message at a time, never on the sender's stack, in turns that let I/O
 * through. No supervision, no watch, no bound, no name: what JavaScript itself allows, written by hand.
 */
export function bound(): Actors & Asked & Stopped & Families {
  const ready = new Ring<Mailbox>();
  const soon = Promise.resolve();
  const asks = new Asks();
  let armed = false;
  /** Messages taken since the loop last went round. */
  let taken = 0;

  const drain = (): void => {
    if (taken === 0) setImmediate(wentRound);
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      taken += next.turn();
      // The rest when the loop has gone round.
      if (taken >= BUDGET) return;
    }
    armed = false;
  };
  const wentRound = (): void => {
    taken = 0;
    if (armed) drain();
  };
  const schedule = (mailbox: Mailbox): void => {
    ready.push(mailbox);
    if (armed) return;
    armed = true;
    if (taken < BUDGET) soon.then(drain);
  };

  class Mailbox extends Ring<unknown> implements Ref {
    private busy = false;
    private readonly handler: Handler;
    constructor(handler: Handler) {
      super();
      this.handler = handler;
    }
    tell(message: unknown): void {
      this.push(message);
      if (this.busy) return;
      this.busy = true;
      schedule(this);
    }
    turn(): number {
      for (let done = 0; done < THROUGHPUT; done++) {
        const message = this.shift();
        if (message === undefined) {
          this.busy = false;
          return done;
        }
        const result = this.handler(undefined, message as never);
        if (result instanceof Promise) {
          // A promise that fails ends the process: there is no supervision.
          void result.then(() => schedule(this));
          return done + 1;
        }
      }
      schedule(this);
      return THROUGHPUT;
    }
  }

  return {
    spawn(handler) {
      const made: Mailbox = new Mailbox((_context, message: Message | Ask) => {
        if (!(message instanceof Ask)) return handler(made, message);
        const answer = handler(made, message.message as Message);
        asks.answer(message, answer);
        return answer;
      });
      return made;
    },
    ask: (ref, message) => new Promise((resolve, reject) => (ref as Mailbox).tell(asks.open(message, resolve, reject))),
    spawner(took, ended) {
      const handler = (_context: unknown, message: unknown) => (message === STOP ? ended() : took());
      return () => new Mailbox(handler);
    },
    stop: (actor) => (actor as Mailbox).tell(STOP),
    async end() {
      asks.stop();
    },
    send: 'REF.tell(MESSAGE)',
    async spawnFamily(sources, refs, hits) {
      for (const source of sources) refs.push(new Mailbox(new Function('refs', 'hits', source)(refs, hits) as Handler));
    },
    tellRaw: (ref, message) => (ref as Ref).tell(message),
  };
}
