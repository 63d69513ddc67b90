import type { Subjects } from '../cluster/subject.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stores.ts';
import type { Subject } from '../ports/transport.ts';
import { DEAD_OVERHEAD_BYTES, encodeDead } from './dead-mail.ts';
import type { Kept } from './kept.ts';
import { decodeMail, type MailRecord } from './mail.ts';
import { isNotNow } from './not-now.ts';
import type { Source } from './turn.ts';

/** Whoever handles what the pump brings; an activation of an agent is one. */
export interface MailTaker {
  take(message: unknown, source: Source, traceparent?: string): Promise<void>;
  skip(source: Source): Promise<void>;
  readonly kept: Kept | undefined;
}

/** What all pumps of a node have in common. */
export interface MailPumpOptions {
  readonly mailbox: Stream;
  readonly dead: Stream;
  readonly subjects: Pick<Subjects, 'record'>;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly storeMs: number;
  /** Times that one message is handled before it is put aside, by the type of the agent. */
  readonly triesOf: (type: string) => number;
  /** Of one record of the stream of the dead. */
  readonly mostBytes: () => number;
  /** Takes a turn among all that read; see {@link readers}. */
  readonly inTurn: <T>(read: () => Promise<T>) => Promise<T>;
  /** A pump that has never found anything is at rest: it knows nothing that another one would not. */
  readonly onEmpty: (pump: MailPump) => void;
  /** A message was put aside, and that is stored. */
  readonly onDead: (type: string, id: string, message: unknown, error: NexaError) => void;
}
export interface MailOwner {
  readonly type: string;
  readonly id: string;
  readonly key: string;
}

/** Between two tries of one message, and of the store. */
const WAIT_MS = { first: 100, most: 10_000, factor: 4 } as const;
/** Handled messages are deleted so many at a time, or when none is left. */
const PURGE_EVERY = 64;
/** The activation is over: the next one goes on. */
const OVER: readonly string[] = ['fenced', 'not-owner'];
/** No number of tries makes it fit. */
const MISFIT: readonly string[] = ['invalid-message', 'unknown-command'];

interface Found {
  readonly record: Uint8Array;
  readonly sequence: number;
}

/**
 * Brings one activation its stored messages, one at a time in the order of the stream. Nobody else has a position in it: what was
 * handled is part of the agent's own record, so whoever owns the agent next goes on from there.
 */
export class MailPump {
  readonly agent: MailOwner;
  private readonly options: MailPumpOptions;
  private readonly taker: MailTaker;
  /** Of an agent that remembers nothing by itself, and of what was passed over. */
  private passed = 0;
  private purged: number;
  private running = false;
  private wanted = false;
  private found = false;
  private stopped = false;
  private isFirst: boolean;
  private interrupt: (() => void) | undefined = undefined;

  /** `firstOfOwner`: the first one of this owner, and not of an agent that was put away and woken. */
  constructor(options: MailPumpOptions, agent: MailOwner, taker: MailTaker, firstOfOwner: boolean) {
    this.options = options;
    this.agent = agent;
    this.taker = taker;
    this.purged = taker.kept?.floor ?? 0;
    this.isFirst = firstOfOwner;
  }

  /** There may be something to bring. `left`: the stream says that something is there. */
  look(left = false): void {
    this.wanted = true;
    // If there is nothing above the floor then it was handled, and its deletion got lost.
    if (left) this.purged = 0;
    if (!this.running && !this.stopped) void this.run();
  }
  /** Something is being read or handled, or waits to be tried again. */
  get busy(): boolean {
    return this.running && !this.stopped;
  }
  stop(): void {
    this.stopped = true;
    this.interrupt?.();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      // What is stored between its last read and its end is told to it, and to nobody else.
      do await this.bringAll();
      while (this.wanted && !this.stopped);
    } finally {
      this.running = false;
      if (!this.found) this.options.onEmpty(this);
    }
  }
  private async bringAll(): Promise<void> {
    const { mailbox, inTurn, storeMs: timeoutMs } = this.options;
    const subject = this.subject('mailbox');
    let sincePurge = 0;
    for (;;) {
      this.wanted = false;
      const found = await this.insist('stored messages cannot be read', async () => {
        const next = await inTurn(() => mailbox.next(subject, { fromSequence: this.floor + 1, timeoutMs }));
        return next ?? 'none';
      });
      if (found === undefined) return;
      if (found !== 'none') {
        this.found = true;
        await this.bring(found);
        if (++sincePurge < PURGE_EVERY) continue;
        sincePurge = 0;
        await this.purge();
      } else if (!this.wanted) {
        await this.purge();
        if (!this.wanted) return;
      }
    }
  }
  private async bring({ record, sequence }: Found): Promise<void> {
    const { agent, taker } = this;
    const { codec, log } = this.options;
    const most = this.options.triesOf(agent.type);
    const where = { agent: `${agent.type}/${agent.id}`, sequence: String(sequence) };
    let mail: MailRecord;
    try {
      mail = decodeMail(record, codec, where);
    } catch (thrown) {
      return this.putAside({ record, sequence }, undefined, 0, toNexaError(thrown, 'corrupt-record'));
    }
    const source: Source = { mail: { sequence, messageId: mail.messageId } };
    if (taker.kept?.messageIds.includes(mail.messageId) === true) return this.skip(source);
    const lost = await this.ownersLost(sequence, most);
    if (lost === undefined) return;
    if (lost >= most) {
      const error = new NexaError('crashed', `${lost} owners were lost or gave up when they handled it`, { where });
      return this.putAside({ record, sequence }, mail, lost, error);
    }
    for (let tries = 1, waits = 1; !this.stopped; waits++) {
      try {
        await taker.take(mail.message, source, mail.traceparent);
        this.passed = sequence;
        return;
      } catch (thrown) {
        const error = toNexaError(thrown, 'crashed', where);
        if (OVER.includes(error.code)) {
          this.stopped = true;
          return;
        }
        const notNow = isNotNow(error);
        if (!notNow && (MISFIT.includes(error.code) || tries >= most)) return this.putAside({ record, sequence }, mail, tries, error);
        log.warn({ ...where, tries, code: error.code, error: error.message }, 'a stored message is tried again');
        await this.pause(waitMs(waits));
        if (!notNow) tries++;
      }
    }
  }
  /**
   * A message may end the very process that handles it, and then no count in memory says so. What an owner finds first is what the
   * one before it may have died of: that it begins with it is stored before it does. How many did; undefined: the pump was stopped.
   */
  private async ownersLost(sequence: number, most: number): Promise<number | undefined> {
    const { taker } = this;
    if (taker.kept === undefined || !this.isFirst) return 0;
    const before = taker.kept.tried?.sequence === sequence ? taker.kept.tried.times : 0;
    if (before < most) {
      const stored = await this.insist('it could not be stored that a message is begun', async () => {
        await taker.skip({ tried: { sequence } });
        return true;
      });
      if (!stored) return undefined;
    }
    this.isFirst = false;
    return before;
  }
  private async skip(source: Extract<Source, { readonly mail: unknown }>): Promise<void> {
    const done = await this.insist('it could not be stored that a message was passed over', async () => {
      await this.taker.skip(source);
      return true;
    });
    if (done) this.passed = source.mail.sequence;
  }
  /** Into the stream of the dead first: only when it is certainly there the mailbox goes on without it. */
  private async putAside({ record, sequence }: Found, mail: MailRecord | undefined, tries: number, error: NexaError): Promise<void> {
    const { type, id, key } = this.agent;
    const { dead, codec, clock, mostBytes, storeMs: timeoutMs } = this.options;
    // What is larger nobody of us stored: what it begins with is all there is to see of it.
    const kept = record.subarray(0, mostBytes() - DEAD_OVERHEAD_BYTES);
    const body = encodeDead({ type, id, sequence, tries, diedAtMs: clock.wallMs(), error, mail: kept }, codec);
    const subject = this.subject('dead');
    const there = await this.insist('a message that failed too often could not be put aside', async () =>
      (await dead.append(subject, body, { recordId: `${key}.${sequence}`, timeoutMs })).written === 'yes' ? true : undefined,
    );
    if (!there) return;
    this.options.onDead(type, id, mail?.message, error);
    await this.skip({ mail: { sequence, messageId: mail?.messageId ?? '' } });
  }
  private async purge(): Promise<void> {
    const { mailbox, storeMs: timeoutMs } = this.options;
    const below = this.floor;
    if (below <= this.purged) return;
    const done = await mailbox.purge(this.subject('mailbox'), { belowSequence: below + 1, timeoutMs }).catch(() => 'unknown');
    if (done === 'yes') this.purged = below;
  }

  private get floor(): number {
    return Math.max(this.taker.kept?.floor ?? 0, this.passed);
  }
  private subject(stream: 'mailbox' | 'dead'): Subject {
    return this.options.subjects.record(stream, this.agent.type, this.agent.id);
  }
  /** Until it is done, or the pump is stopped: then undefined. What is no matter of the store is thrown. */
  private async insist<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let tries = 1; !this.stopped; tries++) {
      try {
        const done = await attempt();
        if (done !== undefined) return done;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (OVER.includes(error.code)) {
          this.stopped = true;
          return undefined;
        }
        this.options.log.warn({ agent: this.agent.key, code: error.code, error: error.message }, what);
      }
      if (!this.stopped) await this.pause(waitMs(tries));
    }
    return undefined;
  }
  private async pause(ms: number): Promise<void> {
    const { clock, random } = this.options;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms * (0.75 + random.next() / 2), resolve);
      this.interrupt = () => {
        cancel();
        resolve();
      };
    });
    this.interrupt = undefined;
  }
}

const waitMs = (tries: number): number => Math.min(WAIT_MS.first * WAIT_MS.factor ** Math.min(tries - 1, 8), WAIT_MS.most);

/** At most so many of a node's mailboxes are read at one time, first come first served: after a failover there may be thousands. */
export function readers(most: number): <T>(read: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let reading = 0;
  return async (read) => {
    if (reading < most) reading++;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await read();
    } finally {
      const next = waiting.shift();
      if (next === undefined) reading--;
      else next();
    }
  };
}
