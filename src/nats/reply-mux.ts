import type { Msg, MsgHdrs } from 'nats';
import type { Cancel } from '../actor/ref.ts';
import type { Wire } from './connection.ts';
import { isNoResponders } from './transport.ts';

/** What became of a request. */
export type Reply =
  | { readonly message: Msg }
  | { readonly message?: undefined; readonly why: 'no-responders' | 'timeout' | 'disconnected' };

export interface ReplyMux {
  /** Never rejects. The payload is kept by reference until it is sent. */
  request(subject: string, payload: Uint8Array, options: { readonly timeoutMs: number; readonly headers?: MsgHdrs }): Promise<Reply>;
}

const TICK_MS = 20;

/** One wildcard subscription, one table and one timer for all requests of a connection: several times the library's own `request`. */
export function replyMux(wire: Wire): ReplyMux {
  const { connection, clock } = wire;
  const prefix = `${wire.inbox}.`;
  const pending = new Map<string, (reply: Reply) => void>();
  /** Requests by the tick in which they are due; answered ones stay until then. */
  const wheel = new Map<number, string[]>();
  let count = 0;
  let stopTimer: Cancel | undefined;

  const settle = (id: string, reply: Reply): void => {
    const one = pending.get(id);
    if (one === undefined) return;
    pending.delete(id);
    one(reply);
  };
  const turn = (): void => {
    stopTimer = undefined;
    const now = Math.floor(clock.monotonicMs() / TICK_MS);
    for (const [slot, ids] of wheel) {
      if (slot > now) continue;
      wheel.delete(slot);
      for (const id of ids) settle(id, { why: 'timeout' });
    }
    if (wheel.size > 0) wind();
  };
  const wind = (): void => {
    stopTimer ??= clock.after(TICK_MS, turn);
  };

  let subscribed = false;
  const listen = (): void => {
    if (subscribed) return;
    subscribed = true;
    connection.subscribe(`${prefix}*`, {
      callback: (error, message) => {
        if (error !== null) return wire.log.error({ error, subject: `${prefix}*` }, 'the NATS server refused the inbox');
        settle(message.subject.slice(prefix.length), isNoResponders(message) ? { why: 'no-responders' } : { message });
      },
    });
  };
  const failAll = (): void => {
    for (const id of [...pending.keys()]) settle(id, { why: 'disconnected' });
  };
  wire.onStatus((status) => {
    if (status === 'down') failAll();
  });
  wire.onClose(() => {
    failAll();
    stopTimer?.();
    wheel.clear();
  });

  return {
    request: (subject, payload, { timeoutMs, headers }) =>
      new Promise((resolve) => {
        if (!wire.connected()) return resolve({ why: 'disconnected' });
        listen();
        const id = (count++).toString(36);
        const slot = Math.floor((clock.monotonicMs() + Math.max(0, timeoutMs)) / TICK_MS) + 1;
        const ids = wheel.get(slot);
        if (ids === undefined) wheel.set(slot, [id]);
        else ids.push(id);
        wind();
        pending.set(id, resolve);
        try {
          connection.publish(subject, payload, { reply: prefix + id, ...(headers === undefined ? {} : { headers }) });
        } catch (error) {
          wire.log.warn({ error, subject }, 'a request was not sent');
          settle(id, { why: 'disconnected' });
        }
      }),
  };
}
