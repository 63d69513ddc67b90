import type { Thresholds } from '../actors/index.ts';
import type { NodeId } from '../src/actor/address.ts';
import type { Message } from '../src/actor/message.ts';
import type { Receptionist } from '../src/actor/receptionist.ts';
import type { ActorSystem } from '../src/actor/system.ts';
import type { Topic } from '../src/actor/topic.ts';
import type { Agents } from '../src/agent/agents.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { NexaConfig } from './config-schema.ts';
import type { ServiceOptions } from './service-check.ts';

export type NodeState = 'stopped' | 'starting' | 'running' | 'maintenance' | 'stopping' | 'error';

/** A member of a cluster in this process. */
export interface NexaNode extends Agents, AsyncDisposable {
  readonly name: NodeId;
  readonly incarnation: number;
  readonly state: NodeState;
  readonly system: ActorSystem;
  /** As `system.topic`. @throws NexaError `bad-id`. */
  topic<T extends Message>(name: string): Topic<T>;
  /** Services by key: who offers what. */
  readonly receptionist: Receptionist;
  /** It takes no new agents; those it has stay. */
  cordon(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** It takes agents again: after {@link cordon}, and after {@link drain}. */
  uncordon(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Moves its agents to other nodes and takes no new ones; the node stays a member, in maintenance. No acknowledged message is lost
   * (C7). `left`: those that no other node may take stay and run on. Default 25,000 ms.
   * @throws NexaError `unavailable`, definite: nobody may take any of them, and nothing was changed.
   */
  drain(options?: { readonly timeoutMs?: number }): Promise<{ readonly moved: number; readonly left: number }>;
  /** Gives its agents back, says that it is gone, and ends. Idempotent. */
  stop(): Promise<void>;
  /** Settles when the node is over: resolves after `stop`, rejects with `fenced` when this incarnation was declared gone. */
  readonly done: Promise<void>;
}
export interface NodeOptions {
  /** Default: NEXA_CLUSTER, else `nexa`. */
  readonly cluster?: string;
  /** Default: a fresh one. */
  readonly name?: NodeId;
  /** Server URLs, or `memory`: the same runtime in this process alone. Default: NEXA_NATS_URL, else `memory`. */
  readonly nats?: 'memory' | string | readonly string[];
  /** Besides the built-in types. */
  readonly agents?: readonly AnyAgent[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Other thresholds for what the node looks at: loop-lag (ms), memory, heap, mailboxes, states (shares of what is allocated). */
  readonly health?: Thresholds;
  /** Share of the cluster's agents this node takes, relative to others. Default 1. */
  readonly capacity?: number;
  /** Agents of types that passivate, active at once; beyond it the least recently used are put away. Default 50,000. */
  readonly mostActive?: number;
  /** When the node takes no new agents: its most agents (default 1,000,000), and shares of its heap or memory (default 0.85, and again below 0.75). */
  readonly admission?: NexaConfig['admission'];
  /** How many servers keep each record. Default: what the cluster was formed with, and 1 for a new one. */
  readonly replicas?: number;
  /** What agents of this node need outside the cluster: probed at the start and every 30 s. */
  readonly services?: readonly ServiceOptions[];
  /** What `process` agents may run on this node, by name. Default: none, and the type is unknown here. */
  readonly processes?: NexaConfig['processes'];
  readonly log?: Logger;
}
