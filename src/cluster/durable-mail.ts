import type { System } from '../actor/system.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Kv, Stores } from '../ports/stores.ts';
import type { Transport } from '../ports/transport.ts';
import type { MessageCodec } from './codec.ts';
import type { ClusterTimes } from './config.ts';
import { type DeadMails, deadMails } from './dead-mails.ts';
import { endpointRef } from './endpoint.ts';
import type { AgentHost } from './hosting.ts';
import type { LocalAgents } from './local-agents.ts';
import { mailBytes, mailStore, type TellDurably } from './mail-store.ts';
import { type MailHint, mailWakes } from './mail-wakes.ts';
import { type Mailboxes, mailboxes } from './mailboxes.ts';
import { runs } from './member.ts';
import type { Members } from './members.ts';
import type { Demand } from './on-demand.ts';
import type { Places } from './places.ts';
import type { Subjects } from './subject.ts';

/** One node's part in durable messages: storing them, waking who they are for, and what failed too often. */
export interface DurableMail {
  /** @throws NexaError as `tellDurably` of a ref. */
  readonly tell: TellDurably;
  readonly dead: DeadMails;
  readonly boxes: Mailboxes;
  readonly claimed: () => void;
  hinted(hints: readonly MailHint[]): void;
  /** What an agent of that type of this node would refuse the message with. */
  check(type: string, message: unknown): NexaError | undefined;
  stop(): void;
}

const CHECK_MS = 2_000;

export function durableMail(options: {
  readonly self: { readonly node: string; readonly incarnation: number };
  readonly system: System;
  readonly control: { readonly transport: Transport; readonly stores: Stores };
  readonly subjects: Subjects;
  readonly agents: Kv;
  readonly places: () => Places;
  readonly members: Members;
  readonly locals: () => LocalAgents;
  readonly host: AgentHost;
  readonly demand: Demand;
  /** May act, and has settled. */
  readonly runs: () => boolean;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
}): DurableMail {
  const { self, system, control, subjects, members, host } = options;
  const stream = control.stores.stream(subjects.store('MAILBOX'));
  const dead = control.stores.stream(subjects.store('DEAD'));
  const common = { ...options, stream, storeMs: options.times.storeMs };
  const mostBytes = (): number => mailBytes(control.transport.maxPayloadBytes);

  const boxes = mailboxes({
    ...common,
    dead,
    mostBytes: () => control.transport.maxPayloadBytes - 1_024,
    active: (key) => options.locals().active(key),
    onDead: (type, id, message, error) => system.deadLetter({ to: { kind: 'agent', type, id }, message }, 'poison', error),
  });
  const wakes = mailWakes({ ...common, boxes, roundMs: options.times.reconcileMs });
  const store = mailStore({ ...common, mostBytes, onStored: wakes.stored });
  const check = (type: string, message: unknown): NexaError | undefined => {
    try {
      host.checkCommand(type, message);
      return undefined;
    } catch (thrown) {
      return toNexaError(thrown, 'internal');
    }
  };
  /** By whoever runs the type. */
  const checkAnywhere = async (type: string, message: unknown): Promise<void> => {
    if (Object.hasOwn(host.types, type)) return host.checkCommand(type, message);
    const knows = members
      .all()
      .find((member) => member.node !== self.node && member.state === 'up' && !member.suspect && runs(member, type) !== undefined);
    if (knows === undefined) {
      const fix = 'Start a node that runs it, or see `nexa types`.';
      throw new NexaError('unknown-type', 'no node that is up runs the type, so nobody can check the message', { where: { type }, fix });
    }
    await endpointRef(system, knows.node, knows.incarnation).ask({ type: 'check', agentType: type, message }, { timeoutMs: CHECK_MS });
  };
  return {
    tell: store.tell,
    dead: deadMails({ ...common, dead, mostBytes, put: store.put, check: checkAnywhere }),
    boxes,
    claimed: wakes.claimed,
    hinted: wakes.hinted,
    check,
    stop() {
      wakes.stop();
      boxes.stop();
    },
  };
}
