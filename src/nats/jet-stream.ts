import type { MsgHdrs } from 'nats';
import { NexaError } from '../errors.ts';
import type { Written } from '../ports/stores.ts';
import type { Wire } from './connection.ts';
import { Gate } from './gate.ts';
import { MissingStreams } from './missing-streams.ts';
import { type Reply, ReplyMux, type RequestOptions } from './reply-mux.ts';

/** What the server answers instead of a result. */
export interface ApiError {
  readonly code: number;
  readonly errCode: number;
  readonly description: string;
}
/** `error` absent: no answer, for whatever reason; it may have happened. */
export type ApiAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error?: ApiError };

export interface PubAck {
  readonly stream?: string;
  readonly seq: number;
  readonly duplicate?: boolean;
}

export interface JetStream {
  readonly wire: Wire;
  /** Streams that reads and watches found missing. */
  missing(): readonly string[];
  /** One `$JS.API` request. @throws NexaError `overloaded` */
  api<T>(path: string, body: object | undefined, timeoutMs: number): Promise<ApiAnswer<T>>;
  /** One record into a stream; its payload may be overwritten afterwards. @throws NexaError `overloaded`, `payload-too-large` */
  publish(subject: string, payload: Uint8Array, headers: MsgHdrs, timeoutMs: number): Promise<ApiAnswer<PubAck>>;
}

/** The server drops its whole queue at 10,000 requests of everybody. */
const API_IN_FLIGHT = 64;
/** Replicas agree on many records at a time: the more are under way, the fewer rounds each of them takes. A stream queues 10,000 of everybody. */
const PUBLISHES_IN_FLIGHT = 1_024;
/** Of either queue. */
const QUEUED = 8_192;
const QUEUED_BYTES = 67_108_864;
/** Of headers that we set ourselves. */
const HEADER_BYTES = 1_024;

export const errors = {
  streamNotFound: 10_059,
  consumerNotFound: 10_014,
  noMessageFound: 10_037,
  sequenceNotFound: 10_043,
  wrongLastSequence: 10_071,
  storeFailed: 10_077,
  insufficientResources: 10_023,
  streamNameInUse: 10_058,
} as const;

export function jetStream(wire: Wire): JetStream {
  const mux = new ReplyMux(wire);
  const missing = new MissingStreams();
  const queue = { queued: QUEUED, queuedBytes: QUEUED_BYTES };
  const apiGate = new Gate({ ...queue, inFlight: API_IN_FLIGHT, what: 'requests to the store' });
  const publishGate = new Gate({ ...queue, inFlight: PUBLISHES_IN_FLIGHT, what: 'writes to the store' });

  const request = <T>(subject: string, payload: Uint8Array, options: RequestOptions): Promise<ApiAnswer<T>> =>
    mux.request(subject, payload, options).then(answerOf<T>);
  return {
    wire,
    missing: () => missing.names(),
    api: async <T>(path: string, body: object | undefined, timeoutMs: number): Promise<ApiAnswer<T>> => {
      const payload = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
      const answer = await request<T>(`$JS.API.${path}`, payload, { gate: apiGate, timeoutMs });
      // No answer says nothing of the stream.
      if (answer.ok || answer.error !== undefined) missing.heard(path, answer.ok || answer.error?.errCode !== errors.streamNotFound);
      return answer;
    },
    publish: (subject, payload, headers, timeoutMs) => {
      if (payload.length + HEADER_BYTES > wire.maxPayloadBytes()) {
        throw new NexaError('payload-too-large', `${payload.length} bytes exceed the limit of ${wire.maxPayloadBytes() - HEADER_BYTES}`, {
          where: { subject },
        });
      }
      // The library keeps it by reference until the socket took it, and the caller's buffer may be a shared one.
      return request<PubAck>(subject, Buffer.from(payload), { gate: publishGate, timeoutMs, headers });
    },
  };
}

const answerOf = <T>({ message }: Reply): ApiAnswer<T> => (message === undefined ? { ok: false } : parseAnswer<T>(message.data));

/** What is no answer of the server counts as none: it may have happened. */
export function parseAnswer<T>(data: Uint8Array): ApiAnswer<T> {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(data)) as {
      readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
    } | null;
    if (parsed === null || typeof parsed !== 'object') return { ok: false };
    const { error } = parsed;
    if (error === undefined) return { ok: true, value: parsed as T };
    return { ok: false, error: { code: error.code ?? 0, errCode: error.err_code ?? 0, description: String(error.description ?? '') } };
  } catch {
    return { ok: false };
  }
}

/**
 * What an answer to a compare-and-set write proves. `no` only with a number above the expectation: then a later record exists. A lower
 * one is a stale leader; everything else may be our own write under way.
 * @throws NexaError `quota-exceeded`, `mailbox-full`, `store-misconfigured`: refused for good.
 */
export function writtenFrom(
  answer: ApiAnswer<PubAck>,
  expected: number | undefined,
  where: { readonly store: string; readonly subject: string },
): Written {
  const { store } = where;
  if (answer.ok)
    return Number.isSafeInteger(answer.value.seq) && answer.value.seq > 0
      ? { written: 'yes', revision: answer.value.seq }
      : { written: 'unknown' };
  switch (answer.error?.errCode) {
    case errors.wrongLastSequence: {
      const present = presentSequence(answer.error);
      return expected !== undefined && present > expected ? { written: 'no' } : { written: 'unknown' };
    }
    case errors.storeFailed:
    case errors.insufficientResources:
      if (/per subject/.test(answer.error.description))
        throw new NexaError('mailbox-full', `store ${store} holds as much of this subject as it may`, { where });
      throw new NexaError('quota-exceeded', `store ${store} takes no more: ${answer.error.description}`, {
        where,
        fix: 'Raise the limits of the stream or of its server, or free room.',
      });
    case errors.streamNameInUse:
      throw new NexaError('store-misconfigured', `store ${store} exists with another configuration`, { where });
    default:
      return { written: 'unknown' };
  }
}

/** Of a refused expectation: the sequence that is there, or NaN. */
export const presentSequence = ({ description }: ApiError): number =>
  Number(/wrong last sequence: (\d+)/.exec(description)?.[1] ?? Number.NaN);

/** For reads, which have no effect: nobody can say what there is. */
export const unreadable = (store: string, error: ApiError | undefined): NexaError =>
  new NexaError('unavailable', error === undefined ? `store ${store} does not answer` : `store ${store}: ${error.description}`, {
    where: { store, ...(error?.errCode === errors.streamNotFound ? { missing: 'true' } : {}) },
  });
