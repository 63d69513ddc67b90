import { NexaError } from '../errors.ts';
import { assertPublishable, assertSubscribable } from '../ports/safe-name.ts';
import type { Inbound, Subject, Transport } from '../ports/transport.ts';
import type { Endpoint } from './endpoint.ts';
import type { Broker } from './network.ts';

/** One listener of one endpoint. */
export interface Subscription {
  readonly endpoint: Endpoint;
  readonly group: string | undefined;
  readonly onMessage: (message: Inbound) => void;
  /** False as soon as it is cancelled: what is under way to it is then not delivered. */
  live: boolean;
}

const NOTHING = new Uint8Array(0);
const NO_HEADERS: ReadonlyMap<string, string> = new Map();
/** What a message costs beyond its bytes: the bound in bytes is thereby one in count. */
const OVERHEAD_BYTES = 128;

const headerBytes = (headers: ReadonlyMap<string, string> | undefined): number => {
  if (headers === undefined || headers.size === 0) return 0;
  let bytes = 'NATS/1.0\r\n\r\n'.length;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
};

/** The {@link Transport} of one endpoint of a memory network. */
export function memoryTransport(broker: Broker, endpoint: Endpoint, onReconnect: () => void): Transport {
  const { weather } = broker;

  const carry = (to: Subscription, message: Inbound, delayMs: number): void => {
    const bytes = message.payload.length + OVERHEAD_BYTES;
    if (!to.endpoint.reserve(bytes)) return;
    endpoint.sentBytes += bytes;
    endpoint.link(to.endpoint).push(
      delayMs,
      () => {
        endpoint.sentBytes -= bytes;
        const arrives = to.endpoint.up && weather.open(endpoint.name, to.endpoint.name);
        to.endpoint.take(() => {
          if (arrives && to.live) to.onMessage(message);
        }, bytes);
      },
      () => {
        endpoint.sentBytes -= bytes;
        to.endpoint.release(bytes);
      },
    );
  };

  const send = (to: Subscription, message: Inbound): void => {
    const faults = weather.of(endpoint.name, to.endpoint.name);
    if (!weather.open(endpoint.name, to.endpoint.name) || broker.happens(faults.drop)) return;
    carry(to, message, broker.delay(faults.delayMs));
    if (broker.happens(faults.duplicate)) carry(to, message, broker.delay(faults.delayMs));
  };

  /** Everybody outside a group, and one of each group. */
  const chosen = (subject: string): Subscription[] => {
    const found = broker.interest.match(subject);
    if (!found.some((one) => one.group !== undefined)) return found;
    const everybody: Subscription[] = [];
    const groups = new Map<string, Subscription[]>();
    for (const one of found) {
      if (one.group === undefined) everybody.push(one);
      else groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
    }
    for (const members of groups.values())
      everybody.push(members[members.length === 1 ? 0 : Math.floor(broker.random.next() * members.length)] as Subscription);
    return everybody;
  };

  return {
    maxPayloadBytes: broker.maxPayloadBytes,
    bufferedBytes: () => endpoint.sentBytes,
    publish: (subject, payload, options) => {
      if (endpoint.ended) throw new NexaError('disconnected', 'this connection is closed', { definite: true });
      assertPublishable(subject);
      if (options?.reply !== undefined) assertPublishable(options.reply);
      const sizeBytes = payload.length + headerBytes(options?.headers);
      if (sizeBytes > broker.maxPayloadBytes)
        throw new NexaError('payload-too-large', `${sizeBytes} bytes exceed the limit of ${broker.maxPayloadBytes}`, {
          where: { subject },
        });
      if (endpoint.sentBytes + sizeBytes > broker.pendingLimitBytes)
        throw new NexaError('overloaded', `${endpoint.sentBytes} bytes wait to be sent`, { where: { subject } });
      if (!endpoint.up) return;
      const message: Inbound = {
        subject,
        payload,
        headers: options?.headers === undefined ? NO_HEADERS : new Map(options.headers),
        ...(options?.reply === undefined ? {} : { reply: options.reply }),
        noResponders: false,
      };
      const targets = chosen(subject);
      for (const target of targets) send(target, message);
      if (targets.length === 0 && options?.reply !== undefined) refuse(options.reply);
    },
    subscribe: (subject, onMessage, options) => {
      if (endpoint.ended) throw new NexaError('disconnected', 'this connection is closed', { definite: true });
      assertSubscribable(subject);
      if (options?.group !== undefined) assertPublishable(options.group);
      const subscription: Subscription = { endpoint, group: options?.group, onMessage, live: true };
      const remove = broker.interest.add(subject, subscription);
      const cancel = (): void => {
        subscription.live = false;
        remove();
        forget();
      };
      const forget = endpoint.onEnd(cancel);
      return cancel;
    },
    flush: async () => {
      if (endpoint.ended || !endpoint.up) throw new NexaError('disconnected', 'this connection is down');
    },
    onStatus: (listener) => endpoint.onStatus(listener),
    reconnect: () => {
      if (endpoint.ended) return;
      weather.stranded.delete(endpoint.name);
      endpoint.setUp(false);
      broker.soon(() => {
        if (weather.isolated.has(endpoint.name)) return;
        endpoint.setUp(true);
        onReconnect();
      });
    },
    close: async () => endpoint.close(),
  };

  function refuse(reply: Subject): void {
    const message: Inbound = { subject: reply, payload: NOTHING, headers: NO_HEADERS, noResponders: true };
    for (const own of broker.interest.match(reply)) if (own.endpoint === endpoint) send(own, message);
  }
}
