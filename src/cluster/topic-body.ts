import { NexaError } from '../errors.ts';
import { isJson, type MessageCodec } from './codec.ts';
import { isRef, LIMITS } from './plain-data.ts';

/**
 * What is published is JSON whenever JSON says all of it, because strangers listen too; only a message with a ref, an error, bytes or
 * a number beyond JSON is msgpack, as everywhere between nodes. @throws NexaError `invalid-message`, `not-encodable`, `payload-too-large`.
 */
export function encodeTopicBody(codec: MessageCodec, message: unknown): Uint8Array {
  requireMessage(message);
  return saysAll(message, 0) ? codec.encodeJson(message) : codec.encode(message);
}

/** @throws NexaError `invalid-message` */
export function decodeTopicBody(codec: MessageCodec, payload: Uint8Array): unknown {
  const message = isJson(payload) ? codec.decodeJson(payload) : codec.decode(payload);
  requireMessage(message);
  return message;
}

function requireMessage(message: unknown): void {
  const plain = typeof message === 'object' && message !== null && !Array.isArray(message) && !isRef(message);
  if (plain && typeof (message as { readonly type?: unknown }).type === 'string') return;
  throw new NexaError('invalid-message', 'a message of a topic is an object with a text as its type', { fix: 'Publish { type: …, … }.' });
}

/** What the codec refuses anyway is left to it. */
function saysAll(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > LIMITS.depth) return true;
  if (isRef(value) || value instanceof Uint8Array || value instanceof NexaError) return false;
  return Object.values(value).every((inner) => saysAll(inner, depth + 1));
}
