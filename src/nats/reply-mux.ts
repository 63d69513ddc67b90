import type { Msg, MsgHdrs } from 'nats';
import { type Bucket, Deadlines, type Due } from '../actor/deadlines.ts';
import type { Wire } from './connection.ts';
import type { Gate, Turn } from './gate.ts';
import { isNoResponders } from './transport.ts';

/** What became of a request. */
export type Reply =
  | { readonly message: Msg }
  | { readonly message?: undefined; readonly why: 'no-responders' | 'timeout' | 'disconnected' };

export interface RequestOptions {
  /** Where it waits for its turn. */
  readonly gate: Gate;
  /** For its turn and for its answer together. */
  readonly timeoutMs: number;
  readonly headers?: MsgHdrs | undefined;
}

/** One wildcard subscription, one table and one timer for all requests of a connection: several times the library's own `request`. */
export class ReplyMux {
  readonly #wire: Wire;
  readonly #prefix: string;
  readonly #pending = new Map<string, Request>();
  readonly #deadlines: Deadlines;
  #count = 0;
  #subscribed = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#prefix = `${wire.inbox}.`;
    this.#deadlines = new Deadlines(wire.clock);
    wire.onStatus((status) => {
      if (status === 'down') this.#failAll();
    });
    wire.onClose(() => {
      this.#failAll();
      this.#deadlines.clear();
    });
  }

  /** The payload is kept by reference until it is sent. Rejects with the NexaError `overloaded` and nothing else. */
  request(subject: string, payload: Uint8Array, { gate, timeoutMs, headers }: RequestOptions): Promise<Reply> {
    return new Promise((resolve) => {
      const deadlineMs = this.#wire.clock.monotonicMs() + Math.max(0, timeoutMs);
      const one = new Request(this, gate, subject, payload, headers, deadlineMs, resolve);
      gate.enter(one);
      if (one.waits) this.#deadlines.add(one);
    });
  }

  send(one: Request): void {
    const { connection, log } = this.#wire;
    one.id = (this.#count++).toString(36);
    this.#pending.set(one.id, one);
    if (!this.#wire.connected()) return this.settle(one, { why: 'disconnected' });
    const { subject, payload, headers } = one;
    try {
      this.#listen();
      const reply = this.#prefix + one.id;
      connection.publish(subject, payload, headers === undefined ? { reply } : { reply, headers });
    } catch (error) {
      log.warn({ error, subject }, 'a request was not sent');
      this.settle(one, { why: 'disconnected' });
    }
  }
  settle(one: Request, reply: Reply): void {
    this.#deadlines.remove(one);
    one.waits = false;
    one.resolve(reply);
    if (one.id === undefined) return one.gate.forget(one);
    this.#pending.delete(one.id);
    one.gate.leave();
  }

  #listen(): void {
    if (this.#subscribed) return;
    this.#wire.connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error !== null) return this.#wire.log.error({ error, subject: `${this.#prefix}*` }, 'the NATS server refused the inbox');
        const one = this.#pending.get(message.subject.slice(this.#prefix.length));
        if (one !== undefined) this.settle(one, isNoResponders(message) ? { why: 'no-responders' } : { message });
      },
    });
    this.#subscribed = true;
  }
  #failAll(): void {
    for (const one of [...this.#pending.values()]) this.settle(one, { why: 'disconnected' });
  }
}

/** A request, from when it waits for its turn until its outcome is known. */
class Request implements Due, Turn {
  readonly gate: Gate;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly deadlineMs: number;
  readonly resolve: (reply: Reply) => void;
  /** Once it was sent. */
  id: string | undefined = undefined;
  waits = true;
  bucket: Bucket | undefined = undefined;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  private readonly mux: ReplyMux;

  constructor(
    mux: ReplyMux,
    gate: Gate,
    subject: string,
    payload: Uint8Array,
    headers: MsgHdrs | undefined,
    deadlineMs: number,
    resolve: (reply: Reply) => void,
  ) {
    this.mux = mux;
    this.gate = gate;
    this.subject = subject;
    this.payload = payload;
    this.headers = headers;
    this.deadlineMs = deadlineMs;
    this.resolve = resolve;
  }

  get bytes(): number {
    return this.payload.length;
  }
  begin(): void {
    this.mux.send(this);
  }
  expire(): void {
    this.mux.settle(this, { why: 'timeout' });
  }
}
