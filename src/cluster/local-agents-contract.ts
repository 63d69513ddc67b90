import type { Envelope } from '../actor/envelope.ts';
import type { Pressure } from '../actor/mailbox.ts';
import type { MailOwner } from '../durable/mail-pump.ts';
import type { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Kv } from '../ports/stores.ts';
import type { ClusterTimes } from './config.ts';
import type { Activation, AgentHost } from './hosting.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Members } from './members.ts';
import type { MoveCause } from './move.ts';
import type { ReleaseReason, SpawnAnswer } from './ownership.ts';
import type { AgentRecord, AgentSpec } from './place.ts';
import type { Places } from './places.ts';
import type { Reminders } from './reminders.ts';

export interface LocalView {
  readonly type: string;
  readonly id: string;
  readonly epoch: number;
  /** `passive`: put away, until its next message. */
  readonly state: 'starting' | 'running' | 'passive';
  readonly mailbox: number;
  readonly restarts: number;
}

/** The agents this node has to do with: runs the ownership step of each, and the activations that come of it. */
export interface LocalAgents {
  spawn(spec: AgentSpec): Promise<SpawnAnswer>;
  stop(type: string, id: string, forget: boolean): Promise<void>;
  claim(key: string, type: string, id: string, reason: { readonly why: string; readonly cause: MoveCause }): void;
  /** Ends the activation and gives the agent back, with a word on who should have it next; false unless it is running here. */
  release(key: string, reason: ReleaseReason): boolean;
  /** Of the activation that is here, put away or not, or that begins; undefined: there is none. */
  epochOf(key: string): number | undefined;
  /** Whether an activation of that agent is here or on its way; then {@link deliver} takes its messages. */
  has(key: string): boolean;
  deliver(key: string, envelope: Envelope): boolean;
  /** Its activation here, once it has begun; one that was put away is woken. @throws NexaError `not-owner`: there is none. */
  awaken(key: string): Promise<Activation>;
  /** It and its activation here, unless it was put away, or does not run here. */
  active(key: string): { readonly agent: MailOwner; readonly activation: Activation } | undefined;
  /** Whether that agent takes more here. */
  pressure(key: string): Pressure;
  /** Whether an activation here may act at this instant: what a checker of C2 asks. */
  acts(key: string): boolean;
  /** Whether nothing is under way for that agent, so that a claim makes sense. */
  idle(key: string): boolean;
  superseded(key: string, revision: number): void;
  /** Keys of all agents with which anything is under way here. */
  keys(): readonly string[];
  /** How long each agent that runs here has held the event loop since this was last asked. */
  busy(): Iterable<readonly [key: string, busyMs: number]>;
  /** The record of an agent that runs here. */
  running(key: string): { readonly record: AgentRecord; readonly epoch: number } | undefined;
  over(): void;
  views(): readonly LocalView[];
  /** Puts some of the least recently used idle agents away; answers how many. */
  relieve(): number;
  readonly count: number;
  /** Agents with which anything is under way: those that are coming included. */
  readonly size: number;
  /** How many more claims may be under way. */
  readonly claimsUnderWay: number;
}

/** What {@link LocalAgents} needs, and whom it tells. */
export interface LocalAgentsOptions {
  readonly self: { readonly node: string; readonly incarnation: number };
  readonly agents: Kv;
  readonly copy: () => Places;
  readonly members: Members;
  readonly host: AgentHost;
  readonly owns: () => boolean;
  readonly reminders: Reminders;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
  readonly announce: (key: string, revision: number) => void;
  /** Active at once, of all types that passivate. */
  readonly mostActive: number;
  /** A claim succeeded here. */
  readonly onOwned: (record: AgentRecord, epoch: number) => void;
  /** It is active: at first, and each time after it was put away. */
  readonly onActivated: (record: AgentRecord, epoch: number) => void;
  readonly onQuarantined: (record: AgentRecord, epoch: number) => void;
  /** The store showed a later owner of an activation of this node. */
  readonly onFenced: (agent: { readonly type: string; readonly id: string }, epoch: number) => void;
  readonly onExclude: (key: string) => void;
  readonly onClaimEnded: () => void;
  readonly mailboxes: Mailboxes;
  /** A claim succeeded here, and nothing was activated. */
  readonly onClaimedIdle: () => void;
  /** Why no agent of this node takes a message at the moment. */
  readonly sheds: () => NexaError | undefined;
  /** Nobody here takes it any more: answered or counted by the router. */
  readonly onRefused: (envelope: Envelope, error: NexaError) => void;
}
