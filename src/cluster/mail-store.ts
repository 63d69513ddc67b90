import { BackOff } from '../durable/back-off.ts';
import { DEAD_OVERHEAD_BYTES } from '../durable/dead-mail.ts';
import { encodeMail, validMessageId } from '../durable/mail.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import { inTime } from '../ports/in-time.ts';
import type { Random } from '../ports/random.ts';
import type { Kv, Stream } from '../ports/stores.ts';
import type { AgentHost } from './hosting.ts';
import { runs } from './member.ts';
import type { Members } from './members.ts';
import { type Demand, noSuchAgent } from './on-demand.ts';
import { decodeAgent } from './place.ts';
import type { Places } from './places.ts';
import { agentKey, encodeId, type Subjects } from './subject.ts';

export interface TellDurablyOptions {
  readonly timeoutMs: number;
  /** Default: a fresh one. */
  readonly messageId?: string | undefined;
  readonly traceparent?: string | undefined;
}
/** Stores a message for an agent anywhere; resolves with its id once a quorum has it. */
export type TellDurably = (type: string, id: string, message: unknown, options: TellDurablyOptions) => Promise<string>;

const MOST_BYTES = 524_288;

/** What one record of a mailbox and of the dead may take, for a server that takes messages of that size. */
export const mailBytes = (maxPayloadBytes: number): number => Math.min(MOST_BYTES, maxPayloadBytes - 2 * DEAD_OVERHEAD_BYTES);

export function mailStore(options: {
  readonly stream: Stream;
  readonly subjects: Subjects;
  readonly agents: Kv;
  readonly places: () => Places;
  readonly members: Members;
  readonly host: AgentHost;
  readonly demand: Demand;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly storeMs: number;
  readonly mostBytes: () => number;
  /** It is stored. */
  readonly onStored: (type: string, id: string) => void;
}): { readonly tell: TellDurably; readonly put: TellDurably } {
  const { stream, subjects, members, host, codec, clock, random } = options;

  /** @throws NexaError `no-such-actor`, `unavailable`, and what its spawn is refused with. */
  const exists = async (type: string, id: string): Promise<void> => {
    const key = agentKey(type, id);
    const there = (): boolean => (options.places().get(key)?.value.desired ?? 'stopped') !== 'stopped';
    if (there()) return;
    const found = await options.agents.get(key, { timeoutMs: options.storeMs });
    if (found !== undefined) options.places().saw(key, decodeAgent(found.value, codec, key), found.revision);
    if (there()) return;
    const placed = options.demand(type, id);
    if (placed === undefined) throw noSuchAgent(type, id);
    await placed.catch((thrown) => {
      // That it is there with another configuration is all that was to be known.
      if (toNexaError(thrown, 'internal').code !== 'conflict') throw thrown;
    });
  };
  const known = (type: string): boolean => members.all().some((member) => member.state !== 'gone' && runs(member, type) !== undefined);

  const append = async (type: string, id: string, messageId: string, record: Uint8Array, untilMs: number): Promise<void> => {
    const subject = subjects.record('mailbox', type, id);
    // Ids are those of the whole stream.
    const recordId = `${agentKey(type, id)}.${encodeId(messageId)}`;
    const backOff = new BackOff(options);
    let doubtful = false;
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) throw unknownOutcome(type, id, messageId, doubtful);
      try {
        const written = await stream.append(subject, record, { recordId, timeoutMs: Math.min(options.storeMs, leftMs) });
        if (written.written === 'yes') return;
        doubtful = true;
      } catch (thrown) {
        // After a doubtful try a refusal says nothing of that one.
        if (!doubtful) throw full(type, id, toNexaError(thrown, 'internal'));
      }
      await backOff.pause(Math.max(0, untilMs - clock.monotonicMs()));
    }
  };
  const put: TellDurably = async (type, id, message, { timeoutMs, messageId = random.id(), traceparent }) => {
    const where = { agent: `${type.slice(0, 64)}/${id.slice(0, 128)}` };
    const untilMs = clock.monotonicMs() + timeoutMs;
    agentKey(type, id);
    if (Object.hasOwn(host.types, type)) host.checkCommand(type, message);
    else if (!known(type)) throw new NexaError('unknown-type', 'no node runs its type', { where, fix: 'See `nexa types`.' });
    const record = encodeMail({ messageId, storedAtMs: Math.floor(clock.wallMs()), traceparent, message }, codec);
    const most = options.mostBytes();
    if (record.byteLength > most) {
      const fix = 'Store large content elsewhere, and send where it is.';
      throw new NexaError('payload-too-large', `the message takes ${record.byteLength} bytes; ${most} are allowed`, { where, fix });
    }
    const late = (): NexaError =>
      new NexaError('ask-timeout', 'nobody could say in time whether there is such an agent', { where, definite: true });
    await inTime(clock, timeoutMs, exists(type, id), late);
    await append(type, id, messageId, record, untilMs);
    options.onStored(type, id);
    return messageId;
  };
  return {
    put,
    tell: async (type, id, message, given) =>
      put(type, id, message, given.messageId === undefined ? given : { ...given, messageId: validMessageId(given.messageId) }),
  };
}

function unknownOutcome(type: string, id: string, messageId: string, doubtful: boolean): NexaError {
  return new NexaError('unavailable', 'the store did not say in time whether it has the message', {
    where: { agent: `${type}/${id}`, messageId },
    definite: !doubtful,
    retryable: true,
    fix: 'Repeat it with the same message id: it is stored once.',
  });
}
function full(type: string, id: string, error: NexaError): NexaError {
  if (error.code !== 'mailbox-full') return error;
  return new NexaError('mailbox-full', 'as many stored messages as may be wait for this agent', {
    where: { ...error.where, agent: `${type}/${id}` },
    cause: error,
    fix: 'Wait until it has handled some, and look at what it is at with `nexa inspect`.',
  });
}
