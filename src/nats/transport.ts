import { type Msg, type MsgHdrs, headers as makeHeaders } from 'nats';
import type { Cancel } from '../actor/ref.ts';
import { receivedReply } from '../cluster/subject.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { inTime } from '../ports/in-time.ts';
import { assertPublishable, assertSubscribable } from '../ports/safe-name.ts';
import type { Inbound, Transport } from '../ports/transport.ts';
import type { Wire } from './connection.ts';

const NO_HEADERS: ReadonlyMap<string, string> = new Map();
const NO_RESPONDERS = 503;
/** What may wait in this process for the socket; beyond it a publish is refused. */
const MOST_BUFFERED_BYTES = 67_108_864;

/** The {@link Transport} over one NATS connection. */
export function natsTransport(wire: Wire): Transport {
  const { connection, log } = wire;
  return {
    get maxPayloadBytes() {
      return wire.maxPayloadBytes();
    },
    bufferedBytes: wire.bufferedBytes,
    publish: (subject, payload, options) => {
      assertPublishable(subject);
      if (options?.reply !== undefined) assertPublishable(options.reply);
      if (connection.isClosed()) throw new NexaError('disconnected', 'this connection is closed', { definite: true });
      if (wire.bufferedBytes() > MOST_BUFFERED_BYTES)
        throw new NexaError('overloaded', `${wire.bufferedBytes()} bytes wait to be sent`, { where: { subject } });
      const headers = options?.headers === undefined || options.headers.size === 0 ? undefined : headersFrom(options.headers);
      const sizeBytes = payload.length + (headers === undefined ? 0 : headerBytes(options?.headers ?? NO_HEADERS));
      if (sizeBytes > wire.maxPayloadBytes())
        throw new NexaError('payload-too-large', `${sizeBytes} bytes exceed the limit of ${wire.maxPayloadBytes()}`, {
          where: { subject },
        });
      // The library would keep it in memory and then lose or send it, as the dialling goes.
      if (!wire.connected()) return;
      connection.publish(subject, payload, {
        ...(options?.reply === undefined ? {} : { reply: options.reply }),
        ...(headers === undefined ? {} : { headers }),
      });
    },
    subscribe: (subject, onMessage, options): Cancel => {
      assertSubscribable(subject);
      if (options?.group !== undefined) assertPublishable(options.group);
      if (connection.isClosed()) throw new NexaError('disconnected', 'this connection is closed', { definite: true });
      let live = true;
      const subscription = connection.subscribe(subject, {
        ...(options?.group === undefined ? {} : { queue: options.group }),
        callback: (error, message) => {
          if (!live) return;
          if (error !== null) return log.error({ error, subject }, 'the NATS server refused a subscription');
          // An exception would end the library's reader.
          try {
            onMessage(inbound(message));
          } catch (thrown) {
            log.error({ error: thrown, subject }, 'a listener failed');
          }
        },
      });
      let cancelled = false;
      const end = (): void => {
        live = false;
        if (!connection.isClosed()) subscription.unsubscribe();
      };
      return () => {
        if (cancelled) return;
        cancelled = true;
        // What the server has given to this member of a group already nobody else gets: it is still taken.
        if (options?.group !== undefined && wire.connected()) void subscription.drain().then(end, end);
        else end();
      };
    },
    flush: async ({ timeoutMs }) => {
      if (!wire.connected()) throw new NexaError('disconnected', 'this connection is down');
      const late = () => new NexaError('unavailable', `the NATS server did not answer within ${timeoutMs} ms`);
      await inTime(wire.clock, timeoutMs, connection.flush(), late).catch((cause) => {
        throw toNexaError(cause, 'disconnected');
      });
    },
    onStatus: wire.onStatus,
    onDenied: wire.onDenied,
    reconnect: wire.reconnect,
    close: wire.close,
  };
}

/** @throws NexaError `invalid-message` for a name or value that the protocol cannot carry. */
export function headersFrom(entries: Iterable<readonly [string, string]>): MsgHdrs {
  const made = makeHeaders();
  try {
    for (const [name, value] of entries) made.set(name, value);
  } catch (cause) {
    throw new NexaError('invalid-message', 'a header has a character that the protocol does not carry', { cause });
  }
  return made;
}

export const isNoResponders = (message: Msg): boolean => message.data.length === 0 && message.headers?.code === NO_RESPONDERS;

function headerBytes(headers: ReadonlyMap<string, string>): number {
  let bytes = 'NATS/1.0\r\n\r\n'.length;
  for (const [name, value] of headers) bytes += name.length + Buffer.byteLength(value) + 4;
  return bytes;
}

function inbound(message: Msg): Inbound {
  // Each look at these decodes anew what is not there.
  const { headers: received, reply } = message;
  return {
    subject: message.subject,
    payload: message.data,
    headers: received === undefined ? NO_HEADERS : new Map(received.keys().map((name) => [name, received.get(name)])),
    ...(reply === undefined || reply === '' ? {} : { reply: receivedReply(reply) }),
    noResponders: isNoResponders(message),
  };
}
