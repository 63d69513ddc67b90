import type { NodeId } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { System } from '../actor/system.ts';
import type { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Stores } from '../ports/stores.ts';
import type { Transport } from '../ports/transport.ts';
import type { Admission, AdmissionLimits, MemoryUsage } from './admission.ts';
import type { MessageCodec } from './codec.ts';
import type { ClusterTimes } from './config.ts';
import type { Drained } from './drain.ts';
import type { DurableMail } from './durable-mail.ts';
import type { OverReason } from './fenced.ts';
import type { AgentHost } from './hosting.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { Demand } from './on-demand.ts';
import type { PeersHeard } from './peers-heard.ts';
import type { AgentRecord } from './place.ts';
import type { Places } from './places.ts';
import type { NodeReceptionist } from './receptionist.ts';
import type { Reminders } from './reminders.ts';
import type { Remote } from './remote.ts';
import type { Subjects } from './subject.ts';
import type { Topics } from './topics.ts';

export interface ClusterOptions {
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  /** Of the member record, as its joiner left it. */
  readonly joined: { readonly revision: number; readonly session: string; readonly cordoned: boolean };
  readonly subjects: Subjects;
  /** Leases, claims, state: the connection that must not wait behind messages. */
  readonly control: { readonly transport: Transport; readonly stores: Stores };
  /** Messages and beats. */
  readonly data: { readonly transport: Transport };
  readonly system: System;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
  /** Runs agents here; gets the way back for messages that it cannot take after all. */
  readonly host: (onRefused: (envelope: Envelope, error: NexaError) => void) => AgentHost;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: number;
  /** Active agents of types that passivate, of all of them together. */
  readonly mostActive: number;
  readonly admission: AdmissionLimits;
  /** Undefined: its memory is not looked at. */
  readonly memory: (() => MemoryUsage) | undefined;
  readonly version: string;
  readonly wireVersions: readonly number[];
  readonly pid: number;
  readonly lagMs: () => number;
  /** This incarnation is over (C1); nothing of it may act any more. */
  readonly onOver: (reason: OverReason) => void;
}

/** One node's part in the cluster. */
export interface Cluster {
  readonly name: string;
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  readonly state: Member['state'];
  /** The lease is not held at the moment: exclusive agents wait. */
  readonly suspended: boolean;
  readonly members: Members;
  readonly places: Places;
  readonly locals: LocalAgents;
  readonly remote: Remote;
  readonly topics: Topics;
  readonly receptionist: NodeReceptionist;
  /** Messages that are stored before they are handled. */
  readonly mail: DurableMail;
  /** Who hears whom. */
  readonly peers: PeersHeard;
  /** Both copies hold all that was there. */
  readonly copiesLive: boolean;
  /** It has looked for agents that nobody runs, and those it claimed then are claimed. */
  readonly recovered: boolean;
  readonly host: AgentHost;
  readonly reminders: Reminders;
  /** Takes what spawns an agent for its first message; until then agents have to be spawned. */
  onDemand(demand: Demand): void;
  readonly unplaced: number;
  /** An agent's whole record, read through the leader; still a hint. @throws NexaError what the store says, `bad-id`. */
  recordOf(type: string, id: string): Promise<{ readonly record: AgentRecord; readonly revision: number } | undefined>;
  /** What this node does about its memory and its number of agents. */
  readonly admission: Admission;
  /** Whether this node takes new agents. */
  readonly admits: boolean;
  /** Whether it takes public messages: not while it is suspended, draining, or drained. */
  readonly serves: boolean;
  /** Called on every change of {@link serves}. */
  onServes(listener: (serves: boolean) => void): void;
  readonly cordoned: boolean;
  /** Takes no new agents, or takes them again; what runs here stays. Resolves when the others can read it. Ends a drain. */
  cordon(on: boolean, options: { readonly timeoutMs: number }): Promise<void>;
  /**
   * Cordons this node and moves its agents away; it stays a member. What nobody may take stays and runs on.
   * @throws NexaError `unavailable`, definite: nobody may take any of them, and nothing was changed.
   */
  drain(options: { readonly timeoutMs: number; readonly onBegin?: () => void }): Promise<Drained>;
  /** Gives its agents back, says that it is gone, and stops. */
  leave(options: {
    readonly timeoutMs: number;
    /** Awaited within that time, once its agents are given back and before it goes: what was asked here gets its answers. */
    readonly settled?: () => Promise<unknown>;
  }): Promise<void>;
  /** Stops at once, without a word: the others notice by the lease. */
  close(): void;
}
