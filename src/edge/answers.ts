import { isJson, type MessageCodec } from '../cluster/codec.ts';
import { NexaError, toNexaError } from '../errors.ts';

export type Encoding = 'json' | 'msgpack';
export type Answer = { readonly ok: true; readonly [field: string]: unknown } | { readonly ok: false; readonly error: NexaError };

/** The body of a public message, and the encoding that its answer has. @throws NexaError `invalid-message` */
export function decodeBody(codec: MessageCodec, payload: Uint8Array): unknown {
  return isJson(payload) ? codec.decodeJson(payload) : codec.decode(payload);
}
export const encodingOf = (payload: Uint8Array): Encoding => (isJson(payload) ? 'json' : 'msgpack');

/** An answer that cannot be said is replaced by the reason; it was carried out all the same, so that is not definite. */
export function encodeAnswer(codec: MessageCodec, encoding: Encoding, answer: Answer, mostBytes: number): Uint8Array {
  try {
    return encodeFitting(codec, encoding, answer, mostBytes);
  } catch (thrown) {
    const { code, message, where } = toNexaError(thrown, 'not-encodable');
    const error = new NexaError(code, `the answer cannot travel: ${message.toWellFormed()}`, { where, definite: false, retryable: false });
    return encodeFitting(codec, encoding, { ok: false, error }, mostBytes);
  }
}
/** @throws NexaError `payload-too-large`, `not-encodable` */
export function encodeFitting(codec: MessageCodec, encoding: Encoding, answer: Answer, mostBytes: number): Uint8Array {
  // An error is a plain map in both encodings: other languages read it.
  const plain = answer.ok ? answer : { ok: false, error: answer.error.toJSON() };
  const payload = encoding === 'json' ? codec.encodeJson(plain) : codec.encode(plain);
  if (payload.length <= mostBytes) return payload;
  throw new NexaError('payload-too-large', `the answer has ${payload.length} bytes; ${mostBytes} are allowed`);
}

/** What a stranger may hear of something thrown: our own errors as they are, of any other only that there was one. */
export const publicError = (thrown: unknown): NexaError =>
  thrown instanceof NexaError ? thrown : new NexaError('internal', 'this node failed to answer; its log says why', { cause: thrown });
