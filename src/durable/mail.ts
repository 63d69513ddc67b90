import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';

/** One message that waits for its agent, as the mailbox stream keeps it. */
export interface MailRecord {
  /** As its sender gave it: a repeat under the same id is the same message. */
  readonly messageId: string;
  /** The wall clock of the node that stored it. */
  readonly storedAtMs: number;
  readonly traceparent: string | undefined;
  readonly message: unknown;
}

const LAYOUT = 1;
const MESSAGE_ID = /^[\x21-\x7e]{1,64}$/;
const REPLAY_ID = /^replay [1-9]\d{0,15}$/;

/** @throws NexaError `invalid-message` unless 1 … 64 visible ASCII characters. */
export function validMessageId(id: unknown): string {
  if (typeof id === 'string' && MESSAGE_ID.test(id)) return id;
  throw new NexaError('invalid-message', 'a message id is 1 to 64 visible ASCII characters', { where: { field: 'messageId' } });
}
/** The id under which a dead message is stored again, however often that is tried; no sender can give it, as it has a space. */
export const replayId = (sequence: number): string => `replay ${sequence}`;

export const encodeMail = ({ messageId, storedAtMs, traceparent, message }: MailRecord, codec: Codec): Uint8Array =>
  codec.encode([LAYOUT, messageId, storedAtMs, traceparent ?? null, message]);

/** @throws NexaError `corrupt-record`, `unknown-version`, naming the place. */
export function decodeMail(bytes: Uint8Array, codec: Codec, where: Readonly<Record<string, string>>): MailRecord {
  const corrupt = (what: string, cause?: unknown): NexaError =>
    new NexaError('corrupt-record', `a stored message ${what}`, { where, ...(cause === undefined ? {} : { cause }) });
  let fields: unknown;
  try {
    fields = codec.decode(bytes);
  } catch (cause) {
    throw corrupt('cannot be read', cause);
  }
  if (!Array.isArray(fields)) throw corrupt('is no array');
  const [layout, messageId, storedAtMs, traceparent, message] = fields;
  if (layout !== LAYOUT) throw new NexaError('unknown-version', `a stored message of layout ${String(layout).slice(0, 32)}`, { where });
  const named = typeof messageId === 'string' && (MESSAGE_ID.test(messageId) || REPLAY_ID.test(messageId));
  if (!named || !Number.isFinite(storedAtMs) || !(traceparent === null || typeof traceparent === 'string') || fields.length < 5)
    throw corrupt('has fields of the wrong kind');
  return { messageId, storedAtMs, traceparent: traceparent ?? undefined, message };
}
