import { decodeId, encodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';

/**
 * The names of topics: tokens between dots, `orders.eu.created`. In a pattern a token may be `*`, any one, and the last one `>`,
 * one or more. On the wire every token is encoded as an id is, so a name never becomes a wildcard of the broker, nor two names one.
 */

const LONGEST_BYTES = 255;
/** White space and what cannot be seen: nearly always a slip, and never twice the same one. */
const UNSEEN = /[\s\p{C}]/u;

/** One topic, encoded. @throws NexaError `bad-id` saying which token is wrong, and why. */
export const encodeTopicName = (name: string): string => encode(name, false);
/** A topic or all that match, encoded. @throws NexaError `bad-id` */
export const encodeTopicPattern = (pattern: string): string => encode(pattern, true);

/** Back from {@link encodeTopicName}. Exact: a second spelling of the same name is refused. @throws NexaError `bad-id` */
export function decodeTopicName(encoded: string): string {
  const name = encoded.split('.').map(decodeId).join('.');
  if (encodeTopicName(name) === encoded) return name;
  throw wrong(encoded, 'this is not the encoded form of a name');
}

function encode(name: string, wildcards: boolean): string {
  if (typeof name !== 'string' || name === '') throw wrong(name, 'a topic has a name');
  if (Buffer.byteLength(name) > LONGEST_BYTES) throw wrong(name, `the name of a topic has at most ${LONGEST_BYTES} bytes`);
  const tokens = name.split('.');
  return tokens
    .map((token, index) => {
      if (wildcards && (token === '*' || (token === '>' && index === tokens.length - 1))) return token;
      const at = `token ${index + 1}`;
      if (token === '') throw wrong(name, `${at} is empty`);
      if (token === '>' && wildcards) throw wrong(name, `${at} is >, which stands only at the end`);
      if (/[*>]/.test(token)) {
        throw wrong(
          name,
          wildcards ? `${at} has a wildcard that is not the whole token` : `${at} has a wildcard, which only a subscription may`,
        );
      }
      if (UNSEEN.test(token)) throw wrong(name, `${at} has white space or a character that cannot be seen`);
      return encodeId(token);
    })
    .join('.');
}

const wrong = (name: unknown, message: string): NexaError =>
  new NexaError('bad-id', message, {
    where: { topic: String(name).slice(0, 128).toWellFormed() },
    fix: 'Write tokens between dots, as in orders.eu.created; to subscribe also orders.*.created or orders.>',
  });
