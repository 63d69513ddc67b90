import type { Envelope } from '../actor/envelope.ts';
import type { Pressure } from '../actor/mailbox.ts';
import type { Kept } from '../durable/kept.ts';
import type { Source } from '../durable/turn.ts';
import type { NexaError } from '../errors.ts';
import type { AgentRecord } from './place.ts';
import type { Reminders } from './reminders.ts';

/** What the cluster asks of whatever runs agents on this node; src/agent/host is the one that does. */
export interface AgentHost {
  /** Agent types this node can run, with their versions. */
  readonly types: Readonly<Record<string, number>>;
  /**
   * Starts the activation of that epoch: loads and fences its state, then runs `started`.
   * @throws NexaError: `corrupt-record` when no node could do better, anything else when another one might.
   */
  activate(record: AgentRecord, epoch: number, rules: ActivationRules): Promise<Activation>;
  /** Deletes the durable state by a tombstone of that epoch. */
  forget(type: string, id: string, epoch: number): Promise<void>;
  /** The lease is back: turns of all activations go on, held effects leave. */
  resume(): void;
  /** Whether an agent of that type knows after a move what it knew before. */
  keepsState(type: string): boolean;
  /** When agents of that type begin here and end. */
  kindOf(type: string): ActivationKind;
  /** @throws NexaError `unknown-type`, `invalid-message` naming the field. */
  checkConfig(type: string, config: unknown): unknown;
  /** A message as anybody may send it. @throws NexaError `unknown-type`, `unknown-command`, `invalid-message` naming the field. */
  checkCommand(type: string, message: unknown): void;
  /** How often an agent of that type is given one stored message before that is put aside. */
  triesOf(type: string): number;
  /** What the agents of each type take and may take here, and did since the start; a type appears with its first agent. */
  usage(): Readonly<Record<string, TypeUsage>>;
  /** One agent as this node knows it; also after it left or failed. */
  look(type: string, id: string): AgentHere;
}

/** Of the agents of one type on one node. Counts without an end are since the node's start, of those that left too. */
export interface TypeUsage {
  readonly agents: number;
  /** Messages that wait, and their estimated bytes; a mailbox that hardly holds anything is not weighed. */
  readonly mailbox: number;
  readonly mailboxBytes: number;
  readonly stateBytes: number;
  /** What all of them together may take. */
  readonly mailboxLimit: number;
  readonly mailboxLimitBytes: number;
  readonly stateLimitBytes: number;
  readonly restarts: number;
  readonly handled: number;
  readonly failures: number;
  /** Time from taking a message to its stored outcome, summed. */
  readonly busyMs: number;
  /** Handled messages by how long they took: up to 1/16 ms, and so on, each bucket twice as wide. */
  readonly took: readonly number[];
}

/** Why and when an agent last failed on this node. */
export interface Crash {
  readonly code: string;
  /** At most 500 characters. */
  readonly message: string;
  /** The node's wall clock. */
  readonly atMs: number;
}
export interface AgentHere {
  /** Null if it does not run here. */
  readonly running: RunningAgent | null;
  readonly lastCrash: Crash | null;
}
export interface RunningAgent {
  readonly state: string;
  readonly epoch: number;
  readonly version: number;
  readonly mailbox: number;
  readonly mailboxBytes: number;
  readonly mailboxLimit: number;
  readonly mailboxLimitBytes: number;
  readonly stateBytes: number;
  readonly stateLimitBytes: number;
  readonly restarts: number;
  /** Since this activation began. */
  readonly handled: number;
  readonly busyMs: number;
  /** Turns that took longer than `handlerLimitMs`. */
  readonly slow: number;
  readonly handlerLimitMs: number;
  readonly timers: number;
  /** At most 50 names; `moreChildren` says how many are left out. */
  readonly children: readonly string[];
  readonly moreChildren: number;
}

/** When agents of a type become active, and for how long they stay it. */
export interface ActivationKind {
  /** The first message spawns it. */
  readonly onDemand: boolean;
  /** Whether it may be put away when it is idle. */
  readonly passivates: boolean;
  /** It is put away after so long without a message; undefined: not by time. */
  readonly idleMs: number | undefined;
  /** Active on one node at most; beyond it the least recently used are put away. */
  readonly mostActive: number | undefined;
}

export interface ActivationRules {
  /** The agent's. */
  readonly key: string;
  /** Whether this node may act at this instant: the lease. */
  readonly owns: () => boolean;
  /** Where it declares and forgets its reminders. */
  readonly reminders: Pick<Reminders, 'declare' | 'forget'>;
  /** The agent said `next: 'stop'`, or failed and is not to be restarted; its activation has ended. */
  onFinished(error?: NexaError): void;
  /** The store showed a later owner; the activation is over. */
  onFenced(epoch: number): void;
  /** The agent said `next: 'passivate'`. */
  onPassivate(): void;
  /** Past its restart intensity; its activation has ended. */
  onGaveUp(error: NexaError): void;
}

/** One agent running here. */
export interface Activation {
  /** Takes a message, or refuses it typed. False is tell's hint. */
  deliver(envelope: Envelope): boolean;
  /**
   * Has it handle what a source brought; resolves once that is stored, together with what it changed. A refusal that its command
   * declares counts as handled. While the node is suspended it waits.
   * @throws NexaError `crashed`, and what else its handler throws: nothing was changed, and it may be brought again. `invalid-message`:
   *   it never will fit. `fenced`, `not-owner`: the activation is over. `quota-exceeded`, `payload-too-large`: the store refused it.
   */
  take(message: unknown, source: Source, traceparent?: string): Promise<void>;
  /** Stores that a source was dealt with, without anything being handled. @throws as {@link take}. */
  skip(source: Source): Promise<void>;
  /** What it remembers; undefined without durable state. */
  readonly kept: Kept | undefined;
  /** No further turn; resolves when the current message is finished and `stopping` has run. */
  end(): Promise<void>;
  /**
   * Puts it away, if nothing waits and nothing is under way: `stopping` runs, memory is let go, its place stays. Resolves when it is
   * over; undefined: not now.
   */
  passivate(): Promise<void> | undefined;
  /** Rises with its turns, over all activations of this node in one order: who was used last. */
  readonly usedAt: number;
  /** Over this instant: nothing of it leaves any more. */
  kill(reason: NexaError): void;
  readonly mailbox: number;
  readonly pressure: Pressure;
  /** Milliseconds that its handlers have held the event loop since this was last asked. */
  busySince(): number;
  readonly restarts: number;
}
