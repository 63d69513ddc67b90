import { type DeadMail, decodeDead, encodeDead } from '../durable/dead-mail.ts';
import { decodeMail, encodeMail, type MailRecord, replayId } from '../durable/mail.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stores.ts';
import type { Subject } from '../ports/transport.ts';
import type { TellDurably } from './mail-store.ts';
import { agentKey, type Subjects } from './subject.ts';

/** A stored message that was put aside, as it is shown. */
export interface DeadMailRow {
  /** Names it, in the whole cluster. */
  readonly number: number;
  /** Null if even its frame cannot be read. */
  readonly type: string | null;
  readonly id: string | null;
  /** Its place in the order of the mailboxes. */
  readonly sequence: number | null;
  readonly messageId: string | null;
  /** What the message asks for. */
  readonly command: string | null;
  readonly tries: number;
  readonly storedAtMs: number | null;
  readonly diedAtMs: number | null;
  readonly error: { readonly code: string; readonly message: string };
}
export interface DeadMailShown extends DeadMailRow {
  /** Absent if it cannot be read. */
  readonly message?: unknown;
  readonly bytes: number;
}
export interface DeadMails {
  /** In the order in which they died. */
  list(filter: {
    readonly type?: string | undefined;
    readonly id?: string | undefined;
    /** Only those with a higher number. */
    readonly after?: number | undefined;
    readonly limit: number;
  }): Promise<{ readonly dead: readonly DeadMailRow[]; readonly more: boolean }>;
  /** @throws NexaError `no-such-actor`: there is none of that number (any more). */
  show(number: number): Promise<DeadMailShown>;
  /** Puts another message in its place; resolves with its new number. @throws NexaError `no-such-actor`, `unknown-type`, `invalid-message`. */
  edit(number: number, message: unknown, within: { readonly timeoutMs: number }): Promise<number>;
  /** Stores it for its agent again; however often, it is handled once. @throws NexaError as `tellDurably`, `no-such-actor`, `corrupt-record`. */
  replay(number: number, within: { readonly timeoutMs: number }): Promise<{ readonly type: string; readonly id: string }>;
  /** @throws NexaError `no-such-actor`, `unavailable`. */
  discard(number: number): Promise<void>;
}

interface Found {
  readonly number: number;
  readonly dead: DeadMail;
  readonly mail: MailRecord | NexaError;
}
const REMOVES = 5;

export function deadMails(options: {
  readonly dead: Stream;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly storeMs: number;
  readonly mostBytes: () => number;
  readonly put: TellDurably;
  /** @throws NexaError what its agent refuses the message with. */
  readonly check: (type: string, message: unknown) => Promise<void>;
}): DeadMails {
  const { dead, subjects, codec, clock, random } = options;
  const within = { timeoutMs: options.storeMs };
  const whereOf = (number: number) => ({ stream: subjects.store('DEAD'), sequence: String(number) });

  const read = (number: number, record: Uint8Array): Found | NexaError => {
    try {
      const found = decodeDead(record, codec, whereOf(number));
      return { number, dead: found, mail: mailOf(found, whereOf(number)) };
    } catch (thrown) {
      return toNexaError(thrown, 'corrupt-record');
    }
  };
  const mailOf = (found: DeadMail, where: Readonly<Record<string, string>>): MailRecord | NexaError => {
    try {
      return decodeMail(found.mail, codec, where);
    } catch (thrown) {
      return toNexaError(thrown, 'corrupt-record');
    }
  };
  const nextOf = (filter: Subject, fromSequence: number) => dead.next(filter, { fromSequence, ...within });
  const recordOf = async (number: number): Promise<Uint8Array> => {
    const next = await nextOf(subjects.recordAll('dead'), number);
    if (next?.sequence === number) return next.record;
    throw new NexaError('no-such-actor', `there is no dead message ${number}`, { where: whereOf(number), fix: 'See `nexa dead list`.' });
  };
  const find = async (number: number): Promise<Found> => {
    const found = read(number, await recordOf(number));
    if (found instanceof NexaError) throw found;
    return found;
  };
  const remove = async (number: number): Promise<void> => {
    for (let tries = 0; tries < REMOVES; tries++) {
      if ((await dead.remove(number, within)) === 'yes') return;
      await new Promise<void>((resolve) => void clock.after(50 * 2 ** tries, resolve));
    }
    const fix = 'Do it again: it is the same message.';
    throw new NexaError('unavailable', 'the store did not say whether it deleted it', { where: whereOf(number), definite: false, fix });
  };
  const filterOf = (type: string | undefined, id: string | undefined): Subject => {
    if (type === undefined) return subjects.recordAll('dead');
    return id === undefined ? subjects.recordsOf('dead', type) : subjects.record('dead', type, id);
  };

  return {
    async list({ type, id, after = 0, limit }) {
      const filter = filterOf(type, id);
      const rows: DeadMailRow[] = [];
      for (let from = after + 1; ; ) {
        const next = await nextOf(filter, from);
        if (next === undefined) return { dead: rows, more: false };
        if (rows.length === limit) return { dead: rows, more: true };
        rows.push(rowOf(next.sequence, read(next.sequence, next.record)));
        from = next.sequence + 1;
      }
    },
    async show(number) {
      const record = await recordOf(number);
      const found = read(number, record);
      const row = rowOf(number, found);
      if (found instanceof NexaError) return { ...row, bytes: record.byteLength };
      return {
        ...row,
        bytes: found.dead.mail.byteLength,
        ...(found.mail instanceof NexaError ? {} : { message: found.mail.message }),
      };
    },
    async edit(number, message, { timeoutMs }) {
      const untilMs = clock.monotonicMs() + timeoutMs;
      const { dead: before, mail } = await find(number);
      await options.check(before.type, message);
      const kept =
        mail instanceof NexaError ? { messageId: replayId(before.sequence), storedAtMs: before.diedAtMs, traceparent: undefined } : mail;
      const edited = encodeMail({ ...kept, message }, codec);
      if (edited.byteLength > options.mostBytes())
        throw new NexaError('payload-too-large', `the message takes ${edited.byteLength} bytes`, { where: whereOf(number) });
      const record = encodeDead({ ...before, mail: edited }, codec);
      const recordId = `${agentKey(before.type, before.id)}.${before.sequence}.${random.id()}`;
      const subject = subjects.record('dead', before.type, before.id);
      const left = (): number => Math.max(1, untilMs - clock.monotonicMs());
      const written = await dead.append(subject, record, { recordId, timeoutMs: left() });
      if (written.written !== 'yes') {
        const fix = 'See `nexa dead list`; of two that are there replay or discard either.';
        throw new NexaError('unavailable', 'the store did not say whether it has it', { where: whereOf(number), definite: false, fix });
      }
      await remove(number);
      return written.revision;
    },
    async replay(number, { timeoutMs }) {
      const { dead: from, mail } = await find(number);
      if (mail instanceof NexaError)
        throw new NexaError(mail.code, mail.message, { where: whereOf(number), cause: mail, fix: 'Edit it first: `nexa dead edit`.' });
      // By its place in the mailbox, which an edited copy has as well: all of them together are one message.
      const messageId = replayId(from.sequence);
      await options.put(from.type, from.id, mail.message, { timeoutMs, messageId, traceparent: mail.traceparent });
      await remove(number);
      return { type: from.type, id: from.id };
    },
    async discard(number) {
      await recordOf(number);
      await remove(number);
    },
  };
}

function rowOf(number: number, found: Found | NexaError): DeadMailRow {
  if (found instanceof NexaError) {
    const nothing = { type: null, id: null, sequence: null, messageId: null, command: null, storedAtMs: null, diedAtMs: null } as const;
    return { number, ...nothing, tries: 0, error: { code: found.code, message: found.message } };
  }
  const { type, id, sequence, tries, diedAtMs, error } = found.dead;
  const mail = found.mail instanceof NexaError ? undefined : found.mail;
  return {
    ...{ number, type, id, sequence, tries, diedAtMs, error },
    messageId: mail?.messageId ?? null,
    command: commandOf(mail?.message),
    storedAtMs: mail?.storedAtMs ?? null,
  };
}
const commandOf = (message: unknown): string | null => {
  const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
  return typeof type === 'string' ? type.slice(0, 64) : null;
};
