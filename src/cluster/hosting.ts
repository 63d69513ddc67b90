import type { Envelope } from '../actor/envelope.ts';
import type { NexaError } from '../errors.ts';
import type { AgentRecord } from './place.ts';

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
  /** @throws NexaError `unknown-type`, `invalid-message` naming the field. */
  checkConfig(type: string, config: unknown): unknown;
}

export interface ActivationRules {
  /** Whether this node may act at this instant: the lease. */
  readonly owns: () => boolean;
  /** The agent said `next: 'stop'`, or failed and is not to be restarted; its activation has ended. */
  readonly onFinished: (error?: NexaError) => void;
  /** The store showed a later owner; the activation is over. */
  readonly onFenced: () => void;
  /** Past its restart intensity; its activation has ended. */
  readonly onGaveUp: (error: NexaError) => void;
}

/** One agent running here. */
export interface Activation {
  /** Takes a message, or refuses it typed. False is tell's hint. */
  deliver(envelope: Envelope): boolean;
  /** No further turn; resolves when the current message is finished and `stopping` has run. */
  end(): Promise<void>;
  /** Over this instant: nothing of it leaves any more. */
  kill(reason: NexaError): void;
  readonly mailbox: number;
  readonly restarts: number;
}
