import type { MessageCodec } from '../cluster/codec.ts';
import { clientInbox } from '../cluster/subject.ts';
import { errorFrom, NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Inbound, Subject, Transport } from '../ports/transport.ts';
import { decodeBody } from './answers.ts';
import { HEADERS, LONGEST_TIMEOUT_MS } from './call-options.ts';

export interface CallerOptions {
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
}
/** Asks public subjects, from outside the cluster: one subscription for all answers. */
export interface Caller {
  /**
   * The fields of a good answer beside `ok`.
   * @throws NexaError what was answered; `unavailable` when nobody listens there, `disconnected`, `ask-timeout`, `cancelled`,
   *   `overloaded`, `not-encodable`, `payload-too-large`.
   */
  request(subject: Subject, body: unknown, options: RequestOptions): Promise<Readonly<Record<string, unknown>>>;
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
  const { transport, codec, clock, random } = options;
  const inbox = clientInbox(random.id());
  const waiting = new Map<string, (answer: Inbound | NexaError) => void>();
  let connected = true;
  let asked = 0;
  let closed = false;

  const cancels = [
    transport.subscribe(inbox.all, (message) => waiting.get(message.subject)?.(message)),
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
  const hasRoom = (): boolean => connected && !closed && transport.bufferedBytes() < ROOM_BYTES;

  return {
    hasRoom,
    send: (subject, body) => {
      check();
      transport.publish(subject, codec.encode(body));
      return hasRoom();
    },
    request: async (subject, body, { timeoutMs, requestId, signal }) => {
      check();
      if (!(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS))
        throw new NexaError('invalid-message', `timeoutMs is to be from 1 to ${LONGEST_TIMEOUT_MS}`);
      if (signal?.aborted === true)
        throw new NexaError('cancelled', 'the request was given up before it was sent', { definite: true, cause: signal.reason });
      if (waiting.size >= (options.mostWaiting ?? MOST_WAITING))
        throw new NexaError('overloaded', 'too many requests of this client wait for an answer');
      const payload = codec.encode(body);
      const headers = new Map<string, string>([[HEADERS.timeout, String(Math.ceil(timeoutMs))]]);
      if (requestId !== undefined) headers.set(HEADERS.requestId, requestId);
      const reply = inbox.reply((++asked).toString(36));

      const answer = await new Promise<Inbound>((resolve, reject) => {
        const settle = (outcome: Inbound | NexaError): void => {
          waiting.delete(reply);
          forget();
          signal?.removeEventListener('abort', aborted);
          if (outcome instanceof NexaError) reject(outcome);
          else resolve(outcome);
        };
        const aborted = (): void => settle(new NexaError('cancelled', 'the request was given up', { cause: signal?.reason }));
        const forget = clock.after(timeoutMs, () =>
          settle(new NexaError('ask-timeout', 'no answer within the deadline', { where: { subject } })),
        );
        signal?.addEventListener('abort', aborted, { once: true });
        waiting.set(reply, settle);
        try {
          transport.publish(subject, payload, { reply, headers });
        } catch (thrown) {
          settle(toNexaError(thrown, 'disconnected'));
        }
      });
      if (answer.noResponders) {
        throw new NexaError('unavailable', 'no node of the cluster listens there', {
          where: { subject },
          fix: 'Start a node, or check the name of the cluster and of the node.',
        });
      }
      return fieldsOf(codec, answer.payload);
    },
    close: () => {
      closed = true;
      for (const cancel of cancels) cancel();
      for (const settle of [...waiting.values()]) settle(new NexaError('cancelled', 'the client was closed'));
    },
  };
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
