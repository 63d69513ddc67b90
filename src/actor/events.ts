import type { Member } from '../cluster/member.ts';
import type { MoveCause } from '../cluster/move.ts';
import type { NexaError } from '../errors.ts';
import type { Address, NodeId } from './address.ts';
import type { Envelope } from './envelope.ts';
import type { Cancel } from './ref.ts';
import type { Terminated } from './signal.ts';

export interface EventStream {
  publish(event: RuntimeEvent): void;
  subscribe(listener: (event: RuntimeEvent) => void): Cancel;
}
export type DeadLetterReason =
  | 'no-actor'
  | 'stopped'
  | 'mailbox-full'
  | 'stash-full'
  | 'crashed'
  | 'expired'
  | 'late'
  | 'late-reply'
  | 'not-owner'
  | 'fenced'
  | 'overloaded'
  | 'poison'
  | 'node-lost'
  | 'disconnected'
  | 'invalid-message'
  | 'undecodable';
/** Everything an operator may want to know happened. One union, one table in docs/events.md. */
export type RuntimeEvent =
  | { readonly event: 'dead-letter'; readonly envelope: Envelope; readonly reason: DeadLetterReason; readonly error?: NexaError }
  | {
      readonly event: 'restarted';
      readonly address: Address;
      readonly error: NexaError;
      readonly restarts: number;
      readonly delayMs: number;
    }
  | { readonly event: 'stopped'; readonly address: Address; readonly reason: Terminated['reason'] }
  | { readonly event: 'activated' | 'passivated' | 'fenced' | 'quarantined'; readonly address: Address; readonly epoch: number }
  /** Published by the node that took it. */
  | {
      readonly event: 'moved';
      readonly address: Address;
      readonly from: NodeId;
      readonly to: NodeId;
      readonly epoch: number;
      readonly cause: MoveCause;
      readonly why: string;
    }
  | { readonly event: 'node-state'; readonly node: NodeId; readonly state: string; readonly before: string }
  /** Skew: the fullest node's load over its fair share. */
  | { readonly event: 'rebalanced'; readonly node: NodeId; readonly moved: number; readonly skewBefore: number; readonly skewAfter: number }
  /** A check of the node's health has turned: raised (warn, critical), or resolved (ok). `threshold` is what the value passed. */
  | {
      readonly event: 'alert';
      readonly name: string;
      readonly level: 'ok' | 'warn' | 'critical';
      readonly before: 'ok' | 'warn' | 'critical';
      readonly value: number;
      readonly threshold: number;
      readonly unit: string;
      readonly sinceMs: number;
    }
  /** What a node takes has changed with its memory: share of it that is used, 0 … 1. */
  | {
      readonly event: 'admission';
      readonly node: NodeId;
      readonly level: 'open' | 'relieving' | 'closed' | 'shedding';
      readonly before: 'open' | 'relieving' | 'closed' | 'shedding';
      readonly memory: number;
    }
  | { readonly event: 'suspended' | 'resumed'; readonly node: NodeId; readonly agents: number }
  | { readonly event: 'member'; readonly member: Member }
  /** While it still runs (tookMs: so far), and when it is done. `heldLoopMs`: of that time nothing else could run; told of agents only. */
  | {
      readonly event: 'slow-handler';
      readonly address: Address;
      readonly type: string;
      readonly tookMs: number;
      readonly heldLoopMs?: number;
      readonly limitMs: number;
      readonly running: boolean;
    }
  /** One line of a program that a process agent runs; of a longer one its beginning. */
  | {
      readonly event: 'process-output';
      readonly address: Address;
      readonly process: string;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
      readonly cut: boolean;
    }
  | {
      readonly event: 'process-exited';
      readonly address: Address;
      readonly process: string;
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
    };
