import type { StreamOptions } from '../actor/ref.ts';
import { Inflow } from '../actor/stream/inflow.ts';
import type { MessageCodec } from '../cluster/codec.ts';
import { clientInbox, type Subjects } from '../cluster/subject.ts';
import { errorFrom, NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { onAbort } from '../ports/on-abort.ts';
import type { Random } from '../ports/random.ts';
import type { Inbound, Subject, Transport } from '../ports/transport.ts';
import { decodeBody } from './answers.ts';
import { FLOW_HEADER, freshTrace, HEADERS, LONGEST_TIMEOUT_MS } from './call-options.ts';

export interface CallerOptions {
  readonly subjects: Subjects;
  readonly transport: Transport;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly random: Random;
  /** Requests waiting at most. Default 10,000. */
  readonly mostWaiting?: number;
}
export interface RequestOptions {
  readonly timeoutMs: number;
  readonly requestId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a command that may be answered with a stream: it is refused then, and nothing happens. */
  readonly once?: boolean;
  /** W3C trace context of the caller. Default: a fresh one. */
  readonly traceparent?: string | undefined;
}
/** Asks public subjects, from outside the cluster: one subscription for all answers. */
export interface Caller {
  /**
   * The fields of a good answer beside `ok`.
   * @throws NexaError what was answered; `unavailable` when nobody listens there, `denied` when we may not ask there, `disconnected`, `ask-timeout`, `cancelled`,
   *   `overloaded`, `not-encodable`, `payload-too-large`.
   */
  request(subject: Subject, body: unknown, options: RequestOptions): Promise<Readonly<Record<string, unknown>>>;
  /** The items of a stream command, pulled as they are read. @throws as {@link request}, and `stream-broken`, where the next item is asked for. */
  stream(subject: Subject, body: unknown, options: StreamOptions): AsyncIterable<unknown>;
  /** Without an answer. False: slow down. @throws NexaError `not-encodable`, `payload-too-large`, `disconnected`. */
  send(subject: Subject, body: unknown): boolean;
  /** Whether `send` would answer true now. */
  hasRoom(): boolean;
  /** Whoever waits is told `cancelled`. */
  close(): void;
}

const ROOM_BYTES = 4_194_304;
const MOST_WAITING = 10_000;

export function createCaller(options: CallerOptions): Caller {
  const { transport, codec, clock, random, subjects } = options;
  const inbox = clientInbox(random.id());
  const waiting = new Map<string, { readonly subject: string; readonly settle: (answer: Inbound | NexaError) => void }>();
  let connected = true;
  let asked = 0;
  let closed = false;

  const cancels = [
    transport.subscribe(inbox.all, (message) => waiting.get(message.subject)?.settle(message)),
    transport.onDenied?.((subject) => denied(subject)) ?? (() => undefined),
    transport.onStatus((status) => {
      if (status !== 'slow-consumer') connected = status === 'up';
    }),
  ];
  const check = (): void => {
    if (closed) throw new NexaError('disconnected', 'this client is closed', { definite: true });
    if (!connected)
      throw new NexaError('disconnected', 'the connection to NATS is broken', {
        definite: true,
        fix: 'Repeat it; the connection is being restored.',
      });
  };
  const denied = (subject: string): void => {
    const refused = [...waiting.values()].filter((each) => each.subject === subject);
    // Of several it is not said which: one that was sent before the right was taken away may be under way.
    const definite = refused.length === 1;
    for (const { settle } of refused)
      settle(
        new NexaError('denied', 'the NATS server does not let these credentials publish there', {
          ...{ where: { subject }, definite },
          fix: 'Ask whoever runs the NATS servers for the right to publish to that subject.',
        }),
      );
  };
  const take = (): Subject => {
    check();
    if (waiting.size >= (options.mostWaiting ?? MOST_WAITING))
      throw new NexaError('overloaded', 'too many requests of this client wait for an answer');
    return inbox.reply((++asked).toString(36));
  };
  /** So that who has not begun it need not. A courtesy: nobody waits for it any more. */
  const giveUp = (reply: Subject, at: Subject = subjects.flow): void => {
    try {
      transport.publish(at, codec.encode({ type: 'cancel' }), { reply });
    } catch {
      // The connection is broken: the deadline ends it there too.
    }
  };
  const hasRoom = (): boolean => connected && !closed && transport.bufferedBytes() < ROOM_BYTES;

  return {
    hasRoom,
    send: (subject, body) => {
      check();
      transport.publish(subject, codec.encode(body), { headers: new Map([[HEADERS.trace, freshTrace(random)]]) });
      return hasRoom();
    },
    request: async (subject, body, { timeoutMs, requestId, signal, once, traceparent }) => {
      check();
      if (!(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS))
        throw new NexaError('invalid-message', `timeoutMs is to be from 1 to ${LONGEST_TIMEOUT_MS}`);
      if (signal?.aborted === true)
        throw new NexaError('cancelled', 'the request was given up before it was sent', { definite: true, cause: signal.reason });
      const reply = take();
      const payload = codec.encode(body);
      const headers = new Map<string, string>([
        [HEADERS.timeout, String(Math.ceil(timeoutMs))],
        [HEADERS.trace, traceparent ?? freshTrace(random)],
      ]);
      if (requestId !== undefined) headers.set(HEADERS.requestId, requestId);
      if (once === true) headers.set(HEADERS.window, '0');

      const answer = await new Promise<Inbound>((resolve, reject) => {
        const settle = (outcome: Inbound | NexaError): void => {
          waiting.delete(reply);
          forget();
          unhear?.();
          if (outcome instanceof NexaError) reject(outcome);
          else resolve(outcome);
        };
        const forget = clock.after(timeoutMs, () =>
          settle(new NexaError('ask-timeout', 'no answer within the deadline', { where: { subject } })),
        );
        const unhear =
          signal &&
          onAbort(signal, () => {
            settle(new NexaError('cancelled', 'the request was given up', { cause: signal.reason }));
            giveUp(reply);
          });
        waiting.set(reply, { subject, settle });
        try {
          transport.publish(subject, payload, { reply, headers });
        } catch (thrown) {
          settle(toNexaError(thrown, 'disconnected'));
        }
      });
      if (answer.noResponders) throw nobodyThere(subject);
      return fieldsOf(codec, answer.payload);
    },
    stream: (subject, body, wanted) => {
      let reply: Subject | undefined;
      let flow: Subject | undefined;
      const inflow: Inflow = new Inflow(
        {
          open: ({ window, idleTimeoutMs }) => {
            if (idleTimeoutMs > LONGEST_TIMEOUT_MS)
              throw new NexaError('invalid-message', `idleTimeoutMs is to be at most ${LONGEST_TIMEOUT_MS}`);
            const at = take();
            const headers = new Map<string, string>([
              [HEADERS.timeout, String(Math.ceil(idleTimeoutMs))],
              [HEADERS.window, String(window)],
              [HEADERS.trace, freshTrace(random)],
            ]);
            const payload = codec.encode(body);
            reply = at;
            const settle = (answer: Inbound | NexaError): void => {
              if (answer instanceof NexaError) return inflow.fail(answer);
              // Nobody listens: for the request, or later where the reader says how far it is.
              if (answer.noResponders)
                return inflow.fail(
                  flow === undefined ? nobodyThere(subject) : new NexaError('stream-broken', 'the node that sent it is not there'),
                );
              flow ??= flowOf(subjects, answer);
              arrive(inflow, codec, answer.payload);
            };
            waiting.set(at, { subject, settle });
            transport.publish(subject, payload, { reply: at, headers });
          },
          pull: (upTo) => {
            if (flow === undefined || reply === undefined) return;
            try {
              transport.publish(flow, codec.encode({ type: 'pull', upTo }), { reply });
            } catch {
              // It is said again.
            }
          },
          leave: () => void (reply !== undefined && giveUp(reply, flow)),
          over: () => void (reply !== undefined && waiting.delete(reply)),
        },
        clock,
        wanted,
        { subject },
      );
      return inflow;
    },
    close: () => {
      closed = true;
      for (const cancel of cancels) cancel();
      for (const { settle } of [...waiting.values()]) settle(new NexaError('cancelled', 'the client was closed'));
    },
  };
}

const nobodyThere = (subject: string): NexaError =>
  new NexaError('unavailable', 'no node of the cluster listens there', {
    where: { subject },
    fix: 'Start a node, or check the name of the cluster and of the node.',
  });

/** Where the node that streams hears its reader; what is no such subject is not published to. */
function flowOf(subjects: Subjects, { headers }: Inbound): Subject | undefined {
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== FLOW_HEADER.toLowerCase()) continue;
    try {
      return subjects.parseFlow(value);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
function arrive(inflow: Inflow, codec: MessageCodec, payload: Uint8Array): void {
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = fieldsOf(codec, payload);
  } catch (thrown) {
    return inflow.fail(toNexaError(thrown, 'invalid-message'));
  }
  const { seq } = answer;
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) return inflow.breakOff('the answer is no item of a stream');
  inflow.arrive({
    seq: seq as number,
    items: 'item' in answer ? [answer.item] : [],
    ...(answer.end === true ? { end: true } : {}),
  });
}

/** Whatever answers on that subject is not trusted to be a node. */
function fieldsOf(codec: MessageCodec, payload: Uint8Array): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = decodeBody(codec, payload);
  } catch (cause) {
    throw new NexaError('invalid-message', 'the answer cannot be read', { cause, definite: false });
  }
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
    if (answer.ok === true) return answer as unknown as Readonly<Record<string, unknown>>;
    if (answer.ok === false && 'error' in answer) throw errorFrom(answer.error);
  }
  throw new NexaError('invalid-message', 'the answer has not the form of one', { definite: false });
}
