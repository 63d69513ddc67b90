import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { fieldsOf, isNumber } from './record-fields.ts';

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
  const fields = fieldsOf(bytes, codec, 'a stored message', [LAYOUT], where);
  const [, messageId, storedAtMs, traceparent, message] = fields;
  const named = typeof messageId === 'string' && (MESSAGE_ID.test(messageId) || REPLAY_ID.test(messageId));
  if (!named || !isNumber(storedAtMs) || !(traceparent === null || typeof traceparent === 'string') || fields.length < 5)
    throw new NexaError('corrupt-record', 'a stored message with fields of the wrong kind', { where });
  return { messageId, storedAtMs, traceparent: traceparent ?? undefined, message };
}
