import type { Cancel } from '../src/actor/ref.ts';
import { createCodec } from '../src/cluster/codec.ts';
import { isSafeReply } from '../src/cluster/subject.ts';
import { type Answer, decodeBody, type Encoding, encodeAnswer, encodingOf, publicError } from '../src/edge/answers.ts';
import { Fields } from '../src/edge/fields.ts';
import { NexaError } from '../src/errors.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Subject, Transport } from '../src/ports/transport.ts';
import { LONGEST_HOLD_MS } from './hold.ts';

const LONGEST_ANSWER_BYTES = 4_096;

/** What a launcher does to the process of one of its nodes. Each false: that process is not running. */
export interface LauncherOrders {
  /** SIGKILL. */
  kill(): boolean;
  /** SIGSTOP, and SIGCONT after so long; of one that is held already the new limit holds. */
  pause(forMs: number): boolean;
  /** SIGCONT; of one that is not held nothing. */
  resume(): boolean;
}

/**
 * Answers orders on the subject of a node's launcher, which work on a node that hangs. As on every public subject each request is
 * answered, a malformed one too, and nothing is carried out whose answer may not be published where it should go.
 */
export function answerOrders(options: {
  readonly transport: Transport;
  readonly subject: Subject;
  readonly log: Logger;
  readonly orders: LauncherOrders;
}): Cancel {
  const { transport, subject, log, orders } = options;
  const codec = createCodec();
  const carriedOut = (body: unknown): Answer => {
    const fields = new Fields(body, 'the order');
    const order = orderOf(fields);
    fields.end();
    if (!order.run(orders)) throw new NexaError('unavailable', 'its process is not running');
    return { ok: true, reply: order.reply };
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

/** @throws NexaError `unknown-command`, `invalid-message`. */
function orderOf(fields: Fields): { readonly run: (orders: LauncherOrders) => boolean; readonly reply: object } {
  const type = fields.needed('type', 64);
  switch (type) {
    case 'kill':
      return { run: (orders) => orders.kill(), reply: { killed: true } };
    case 'pause': {
      const forMs = fields.count('forMs', LONGEST_HOLD_MS, 0);
      if (forMs === 0) throw new NexaError('invalid-message', 'a pause needs its limit, forMs', { where: { field: 'forMs' } });
      return { run: (orders) => orders.pause(forMs), reply: { pausedMs: forMs } };
    }
    case 'resume':
      return { run: (orders) => orders.resume(), reply: { resumed: true } };
    default:
      throw new NexaError('unknown-command', `${JSON.stringify(type)} is not known here`, { fix: 'Use: kill, pause, resume.' });
  }
}
