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

export interface MailPumpOptions {
  readonly agent: { readonly type: string; readonly id: string; readonly key: string };
  readonly taker: MailTaker;
  readonly mailbox: { readonly stream: Stream; readonly subject: Subject };
  readonly dead: { readonly stream: Stream; readonly subject: Subject };
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly storeMs: number;
  /** Times that one message is handled before it is put aside. */
  readonly tries: number;
  /** The first one of this owner, and not of an agent that was put away and woken. */
  readonly firstOfOwner: boolean;
  /** Of one record of the stream of the dead. */
  readonly mostBytes: number;
  /** Takes a turn among all that read; see {@link readers}. */
  readonly inTurn: <T>(read: () => Promise<T>) => Promise<T>;
  /** A message was put aside, and that is stored. */
  readonly onDead: (message: unknown, error: NexaError) => void;
}

/**
 * Brings one activation its stored messages, one at a time in the order of the stream. Nobody else has a position in it: what was
 * handled is part of the agent's own record, so whoever owns the agent next goes on from there.
 */
export interface MailPump {
  /** There may be something to bring. `left`: the stream says that something is there. */
  look(left?: boolean): void;
  /** Something is being read or handled, or waits to be tried again. */
  readonly busy: boolean;
  stop(): void;
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

export function mailPump(options: MailPumpOptions): MailPump {
  const { agent, taker, mailbox, codec, clock, random, log, storeMs } = options;
  const within = { timeoutMs: storeMs };
  /** Of an agent that remembers nothing by itself, and of what was passed over. */
  let passed = 0;
  let purged = taker.kept?.floor ?? 0;
  let running = false;
  let wanted = false;
  let stopped = false;
  let isFirst = options.firstOfOwner;
  let interrupt = (): void => undefined;

  const floor = (): number => Math.max(taker.kept?.floor ?? 0, passed);
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms * (0.75 + random.next() / 2), resolve);
      interrupt = () => {
        cancel();
        resolve();
      };
    });
  const waitMs = (tries: number): number => Math.min(WAIT_MS.first * WAIT_MS.factor ** Math.min(tries - 1, 8), WAIT_MS.most);

  /** Until it is done, or the pump is stopped: then undefined. What is no matter of the store is thrown. */
  const insist = async <T>(what: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> => {
    for (let tries = 1; !stopped; tries++) {
      try {
        const done = await attempt();
        if (done !== undefined) return done;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (OVER.includes(error.code)) {
          stopped = true;
          return undefined;
        }
        log.warn({ agent: agent.key, code: error.code, error: error.message }, what);
      }
      if (!stopped) await pause(waitMs(tries));
    }
    return undefined;
  };

  const bring = async ({ record, sequence }: Found): Promise<void> => {
    const where = { agent: `${agent.type}/${agent.id}`, sequence: String(sequence) };
    let mail: MailRecord;
    try {
      mail = decodeMail(record, codec, where);
    } catch (thrown) {
      return putAside({ record, sequence }, undefined, 0, toNexaError(thrown, 'corrupt-record'));
    }
    const source: Source = { mail: { sequence, messageId: mail.messageId } };
    if (taker.kept?.messageIds.includes(mail.messageId) === true) return skip(source);
    const lost = await ownersLost(sequence);
    if (lost === undefined) return;
    if (lost >= options.tries) {
      const error = new NexaError('crashed', `${lost} owners were lost or gave up when they handled it`, { where });
      return putAside({ record, sequence }, mail, lost, error);
    }
    for (let tries = 1, waits = 1; !stopped; waits++) {
      try {
        await taker.take(mail.message, source, mail.traceparent);
        passed = sequence;
        return;
      } catch (thrown) {
        const error = toNexaError(thrown, 'crashed', where);
        if (OVER.includes(error.code)) {
          stopped = true;
          return;
        }
        const notNow = isNotNow(error);
        if (!notNow && (MISFIT.includes(error.code) || tries >= options.tries)) return putAside({ record, sequence }, mail, tries, error);
        log.warn({ ...where, tries, code: error.code, error: error.message }, 'a stored message is tried again');
        await pause(waitMs(waits));
        if (!notNow) tries++;
      }
    }
  };
  /**
   * A message may end the very process that handles it, and then no count in memory says so. What an owner finds first is what the
   * one before it may have died of: that it begins with it is stored before it does. How many did; undefined: the pump was stopped.
   */
  const ownersLost = async (sequence: number): Promise<number | undefined> => {
    if (taker.kept === undefined || !isFirst) return 0;
    const before = taker.kept.tried?.sequence === sequence ? taker.kept.tried.times : 0;
    if (before < options.tries) {
      const stored = await insist('it could not be stored that a message is begun', async () => {
        await taker.skip({ tried: { sequence } });
        return true;
      });
      if (!stored) return undefined;
    }
    isFirst = false;
    return before;
  };
  const skip = async (source: Extract<Source, { readonly mail: unknown }>): Promise<void> => {
    const done = await insist('it could not be stored that a message was passed over', async () => {
      await taker.skip(source);
      return true;
    });
    if (done) passed = source.mail.sequence;
  };
  /** Into the stream of the dead first: only when it is certainly there the mailbox goes on without it. */
  const putAside = async ({ record, sequence }: Found, mail: MailRecord | undefined, tries: number, error: NexaError): Promise<void> => {
    const { type, id } = agent;
    // What is larger nobody of us stored: what it begins with is all there is to see of it.
    const kept = record.subarray(0, options.mostBytes - DEAD_OVERHEAD_BYTES);
    const dead = encodeDead({ type, id, sequence, tries, diedAtMs: clock.wallMs(), error, mail: kept }, codec);
    const recordId = `${agent.key}.${sequence}`;
    const there = await insist('a message that failed too often could not be put aside', async () =>
      (await options.dead.stream.append(options.dead.subject, dead, { recordId, ...within })).written === 'yes' ? true : undefined,
    );
    if (!there) return;
    options.onDead(mail?.message, error);
    await skip({ mail: { sequence, messageId: mail?.messageId ?? '' } });
  };
  const purge = async (): Promise<void> => {
    const below = floor();
    if (below <= purged) return;
    const done = await mailbox.stream.purge(mailbox.subject, { belowSequence: below + 1, ...within }).catch(() => 'unknown');
    if (done === 'yes') purged = below;
  };
  const run = async (): Promise<void> => {
    let sincePurge = 0;
    for (;;) {
      wanted = false;
      const found = await insist('stored messages cannot be read', async () => {
        const next = await options.inTurn(() => mailbox.stream.next(mailbox.subject, { fromSequence: floor() + 1, ...within }));
        return next ?? 'none';
      });
      if (found === undefined) return;
      if (found !== 'none') {
        await bring(found);
        if (++sincePurge < PURGE_EVERY) continue;
        sincePurge = 0;
        await purge();
      } else if (!wanted) {
        await purge();
        if (!wanted) return;
      }
    }
  };

  return {
    look(left = false) {
      wanted = true;
      // If there is nothing above the floor then it was handled, and its deletion got lost.
      if (left) purged = 0;
      if (running || stopped) return;
      running = true;
      void run().finally(() => {
        running = false;
      });
    },
    get busy() {
      return running && !stopped;
    },
    stop() {
      stopped = true;
      interrupt();
    },
  };
}

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
