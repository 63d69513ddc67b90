import { type MailOwner, MailPump, type MailPumpOptions, readers } from '../durable/mail-pump.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stores.ts';
import type { Activation, AgentHost } from './hosting.ts';
import type { Subjects } from './subject.ts';

/** Mailboxes read at one time by one node. */
const READS = 16;
/** Tries to delete a mailbox. */
const PURGES = 5;

/** The durable mailboxes of the agents that are active here. */
export interface Mailboxes {
  /** `isFirst`: of this owner; an agent that was put away has had one. */
  began(agent: MailOwner, activation: Activation, isFirst: boolean): void;
  ended(key: string): void;
  /** There may be something in it. False: it is not active here. */
  look(key: string, left: boolean): boolean;
  /** A message of it is being handled, or waits to be tried again. */
  busy(key: string): boolean;
  /** Deletes what is in it by now. */
  forget(type: string, id: string): Promise<void>;
  stop(): void;
}

export function mailboxes(options: {
  readonly stream: Stream;
  readonly dead: Stream;
  readonly subjects: Subjects;
  readonly host: AgentHost;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly storeMs: number;
  readonly mostBytes: () => number;
  /** Its activation here, while it is active. */
  readonly active: (key: string) => { readonly agent: MailOwner; readonly activation: Activation } | undefined;
  readonly onDead: (type: string, id: string, message: unknown, error: NexaError) => void;
}): Mailboxes {
  const { stream, subjects, host, storeMs } = options;
  /** Of those that are active and have had messages; of the others while it is looked whether there are any. */
  const pumps = new Map<string, MailPump>();
  const onEmpty = (pump: MailPump): void => {
    if (pumps.get(pump.agent.key) === pump) pumps.delete(pump.agent.key);
  };
  const common: MailPumpOptions = { ...options, mailbox: stream, triesOf: host.triesOf, inTurn: readers(READS), onEmpty };
  const begin = (agent: MailOwner, activation: Activation, isFirst: boolean): MailPump => {
    const pump = new MailPump(common, agent, activation, isFirst);
    pumps.set(agent.key, pump);
    return pump;
  };
  return {
    began(agent, activation, isFirst) {
      pumps.get(agent.key)?.stop();
      begin(agent, activation, isFirst).look();
    },
    ended(key) {
      pumps.get(key)?.stop();
      pumps.delete(key);
    },
    look(key, left) {
      const active = options.active(key);
      if (active !== undefined) (pumps.get(key) ?? begin(active.agent, active.activation, true)).look(left);
      return active !== undefined;
    },
    busy: (key) => pumps.get(key)?.busy === true,
    async forget(type, id) {
      const subject = subjects.record('mailbox', type, id);
      const last = await stream.last(subject, { timeoutMs: storeMs });
      if (last === undefined) return;
      for (let tries = 0; tries < PURGES; tries++) {
        if ((await stream.purge(subject, { belowSequence: last.sequence + 1, timeoutMs: storeMs })) === 'yes') return;
        await new Promise<void>((resolve) => void options.clock.after(50 * 2 ** tries, resolve));
      }
      const where = { subject, sequence: String(last.sequence) };
      throw new NexaError('unavailable', 'the store did not say whether it deleted its stored messages', { where, definite: false });
    },
    stop() {
      for (const pump of pumps.values()) pump.stop();
      pumps.clear();
    },
  };
}
