import type { Envelope } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import type { Cancel } from '../actor/ref.ts';
import type { Listener, TopicBus } from '../actor/topic.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { Inbound, Transport } from '../ports/transport.ts';
import type { MessageCodec } from './codec.ts';
import { REMOTE_BOUNDS } from './remote-options.ts';
import { type Subjects, validGroup } from './subject.ts';
import { decodeTopicBody, encodeTopicBody } from './topic-body.ts';

export interface TopicsOptions {
  readonly transport: Transport;
  readonly subjects: Subjects;
  /** With a `refOf`, so that refs are live on arrival. */
  readonly codec: MessageCodec;
  readonly log: Logger;
  /** What was published and did not leave, or arrived and nobody took: under the name of its topic, as far as that is known. */
  readonly onDeadLetter: (topic: string, letter: Omit<Envelope, 'to'>, reason: DeadLetterReason, error?: NexaError) => void;
  /** Hears nobody any more. */
  readonly over?: () => boolean;
  /** Subscriptions at most; one more is refused. Default 10,000. */
  readonly mostSubscriptions?: number;
}

/** Who listens on this node to one pattern under one group. */
export interface TopicRow {
  readonly pattern: string;
  /** Null: each subscriber gets each message. */
  readonly group: string | null;
  readonly subscribers: number;
  /** Messages given to them since the first of them came. */
  readonly delivered: number;
}

/** Since the start. */
export interface TopicCounters {
  published: number;
  arrived: number;
  delivered: number;
  /** Arrived and could not be read. */
  unreadable: number;
}

/** The topics of one node or client over the broker: one subscription there for each pattern and group, shared by all who listen here. */
export interface Topics extends TopicBus {
  /** By pattern, then group. */
  rows(): readonly TopicRow[];
  readonly counters: Readonly<TopicCounters>;
  /** Hears nothing more. */
  close(): void;
}

const MOST_SUBSCRIPTIONS = 10_000;
/** One message: it goes in one piece, because strangers read it. */
const BODY_BYTES = 524_288;
const TRACE = 'traceparent';
const TRACE_FORM = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Room for subject and headers in what a server takes. */
const MARGIN_BYTES = 16_384;

interface Shared {
  readonly pattern: string;
  readonly group: string | undefined;
  readonly listeners: Set<Listener>;
  delivered: number;
  cancel: Cancel;
}

export function topicsOver(options: TopicsOptions): Topics {
  const { transport, subjects, codec, log } = options;
  const most = options.mostSubscriptions ?? MOST_SUBSCRIPTIONS;
  const shared = new Map<string, Shared>();
  const counters: TopicCounters = { published: 0, arrived: 0, delivered: 0, unreadable: 0 };
  let listening = 0;
  let connected = true;
  let closed = false;

  const forgetStatus = transport.onStatus((status) => {
    if (status !== 'slow-consumer') connected = status === 'up';
  });

  const deliver = (listener: Listener, to: Shared, message: unknown, topic: string, traceparent: string | undefined): void => {
    to.delivered++;
    counters.delivered++;
    try {
      listener.deliver(message, topic, traceparent);
    } catch (error) {
      log.error({ topic, error }, 'a listener to a topic threw');
    }
  };
  const arrived = (to: Shared, inbound: Inbound): void => {
    if (inbound.noResponders || closed || options.over?.() === true) return;
    counters.arrived++;
    let topic = to.pattern;
    let message: unknown;
    try {
      topic = subjects.parseTopic(inbound.subject);
      message = decodeTopicBody(codec, inbound.payload);
    } catch (thrown) {
      counters.unreadable++;
      return options.onDeadLetter(topic, { message: undefined }, 'undecodable', toNexaError(thrown, 'invalid-message'));
    }
    const trace = inbound.headers.get(TRACE);
    const traceparent = trace !== undefined && TRACE_FORM.test(trace) ? trace : undefined;
    if (to.group === undefined) {
      for (const listener of to.listeners) deliver(listener, to, message, topic, traceparent);
      return;
    }
    const one = nextOf(to.listeners);
    if (one !== undefined) deliver(one, to, message, topic, traceparent);
    // The broker had chosen this node before the last of the group left it.
    else options.onDeadLetter(topic, { message, traceparent }, 'no-actor');
  };

  return {
    counters,
    check: (pattern) => void subjects.topics(pattern),
    prepare(name, message, traceparent) {
      const subject = subjects.topic(name);
      const body = encodeTopicBody(codec, message);
      const mostBytes = Math.min(BODY_BYTES, transport.maxPayloadBytes - MARGIN_BYTES);
      if (body.length > mostBytes) {
        throw new NexaError('payload-too-large', `the message has ${body.length} bytes; ${mostBytes} are allowed`, {
          where: { topic: name },
          fix: 'Send large content in parts, or send where it is stored.',
        });
      }
      const lost = (error: NexaError): false => {
        options.onDeadLetter(name, { message, traceparent }, error.code === 'overloaded' ? 'overloaded' : 'disconnected', error);
        return false;
      };
      return () => {
        const where = { topic: name };
        if (closed || !connected)
          return lost(new NexaError('disconnected', 'there is no connection to the broker', { where, definite: true }));
        if (transport.bufferedBytes() >= REMOTE_BOUNDS.mostBufferedBytes)
          return lost(new NexaError('overloaded', 'too much waits to be sent', { where }));
        try {
          transport.publish(subject, body, traceparent === undefined ? {} : { headers: new Map([[TRACE, traceparent]]) });
        } catch (thrown) {
          return lost(toNexaError(thrown, 'disconnected'));
        }
        counters.published++;
        return transport.bufferedBytes() < REMOTE_BOUNDS.bufferedBytes;
      };
    },
    subscribe(pattern, listener, { group }) {
      const subject = subjects.topics(pattern);
      const queue = group === undefined ? undefined : validGroup(group);
      if (closed) throw new NexaError('unavailable', 'topics are closed here', { where: { topic: pattern }, retryable: false });
      if (listening >= most) {
        throw new NexaError('overloaded', `there are ${most} subscriptions here already`, {
          where: { topic: pattern },
          fix: 'Subscribe to one pattern and tell them apart by topic.',
        });
      }
      const key = `${queue ?? ''} ${pattern}`;
      const known = shared.get(key);
      const entry: Shared = known ?? { pattern, group: queue, listeners: new Set(), delivered: 0, cancel: () => {} };
      if (known === undefined) {
        entry.cancel = transport.subscribe(subject, (inbound) => arrived(entry, inbound), queue === undefined ? {} : { group: queue });
        shared.set(key, entry);
      }
      entry.listeners.add(listener);
      listening++;
      return () => {
        if (!entry.listeners.delete(listener)) return;
        listening--;
        if (entry.listeners.size > 0) return;
        if (shared.get(key) === entry) shared.delete(key);
        entry.cancel();
      };
    },
    rows: () =>
      [...shared.values()]
        .map(
          ({ pattern, group, listeners, delivered }): TopicRow => ({
            pattern,
            group: group ?? null,
            subscribers: listeners.size,
            delivered,
          }),
        )
        .sort((a, b) => compare(a.pattern, b.pattern) || compare(a.group ?? '', b.group ?? '')),
    close() {
      if (closed) return;
      closed = true;
      forgetStatus();
      for (const { cancel } of shared.values()) cancel();
      shared.clear();
    },
  };
}

/** In turn; one that has no room is passed over while another has some. */
function nextOf(listeners: Set<Listener>): Listener | undefined {
  const [first] = listeners;
  if (first === undefined || listeners.size === 1) return first;
  let chosen = first;
  for (const listener of listeners) {
    if (!listener.ready) continue;
    chosen = listener;
    break;
  }
  listeners.delete(chosen);
  listeners.add(chosen);
  return chosen;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
