import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { fieldsOf, isCount, isNumber, isText } from './record-fields.ts';

/** A stored message that failed too often, with all that is needed to try it again. */
export interface DeadMail {
  readonly type: string;
  readonly id: string;
  /** What it had in the mailbox: unique in the cluster. */
  readonly sequence: number;
  /** How often it was handled; 0: it could not be read. */
  readonly tries: number;
  /** The wall clock of its owner. */
  readonly diedAtMs: number;
  readonly error: { readonly code: string; readonly message: string };
  /** The record of the mailbox, byte for byte. */
  readonly mail: Uint8Array;
}

const LAYOUT = 1;
const LONGEST_ERROR = 1_000;
/** What a dead message takes beyond its mail: names, numbers and the error, at most. */
export const DEAD_OVERHEAD_BYTES = 8_192;

export const encodeDead = (dead: DeadMail, codec: Codec): Uint8Array =>
  codec.encode([
    LAYOUT,
    dead.type,
    dead.id,
    dead.sequence,
    dead.tries,
    dead.diedAtMs,
    dead.error.code,
    dead.error.message.slice(0, LONGEST_ERROR).toWellFormed(),
    dead.mail,
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version`, naming the place. */
export function decodeDead(bytes: Uint8Array, codec: Codec, where: Readonly<Record<string, string>>): DeadMail {
  const [, type, id, sequence, tries, diedAtMs, code, message, mail] = fieldsOf(bytes, codec, 'a dead message', [LAYOUT], where);
  const named = isText(type) && isText(id) && isCount(sequence);
  if (!named || !isCount(tries) || !isNumber(diedAtMs) || !isText(code) || typeof message !== 'string' || !(mail instanceof Uint8Array))
    throw new NexaError('corrupt-record', 'a dead message with fields of the wrong kind', { where });
  return { type, id, sequence, tries, diedAtMs, error: { code, message }, mail };
}
