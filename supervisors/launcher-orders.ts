import type { Cancel } from '../src/actor/ref.ts';
import { createCodec } from '../src/cluster/codec.ts';
import { isSafeReply } from '../src/cluster/subject.ts';
import { type Answer, decodeBody, type Encoding, encodeAnswer, encodingOf, publicError } from '../src/edge/answers.ts';
import { Fields } from '../src/edge/fields.ts';
import { NexaError } from '../src/errors.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Subject, Transport } from '../src/ports/transport.ts';

const LONGEST_ANSWER_BYTES = 4_096;

/**
 * Answers `kill` on the subject of a node's launcher, which works on a node that hangs. As on every public subject each request is
 * answered, a malformed one too, and nothing is carried out whose answer may not be published where it should go.
 */
export function answerKill(options: {
  readonly transport: Transport;
  readonly subject: Subject;
  readonly log: Logger;
  /** False: its process is not running. */
  readonly kill: () => boolean;
}): Cancel {
  const { transport, subject, log, kill } = options;
  const codec = createCodec();
  const carriedOut = (body: unknown): Answer => {
    const fields = new Fields(body, 'kill');
    const type = fields.needed('type', 64);
    if (type !== 'kill') throw new NexaError('unknown-command', `${JSON.stringify(type)} is not known here`, { fix: 'Use: kill.' });
    fields.end();
    if (!kill()) throw new NexaError('unavailable', 'its process is not running');
    return { ok: true, reply: { killed: true } };
  };
  return transport.subscribe(subject, ({ reply, payload }) => {
    if (reply === undefined || !isSafeReply(reply)) return;
    let encoding: Encoding = 'json';
    let answer: Answer;
    try {
      const body = decodeBody(codec, payload);
      encoding = encodingOf(payload);
      answer = carriedOut(body);
    } catch (thrown) {
      answer = { ok: false, error: publicError(thrown) };
    }
    try {
      transport.publish(reply, encodeAnswer(codec, encoding, answer, LONGEST_ANSWER_BYTES));
    } catch (error) {
      log.debug({ error: String(error) }, 'an answer could not be published');
    }
  });
}
