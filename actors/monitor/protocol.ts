import type { DeadLetterReason } from '../../src/actor/events.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef } from '../../src/actor/ref.ts';

/** What this process uses. Each is read once per sample. */
export interface ProcessLoad {
  /** Share of one core since it was last read; above 1 with several threads. */
  readonly cpu: () => number;
  readonly rssBytes: () => number;
  readonly heapBytes: () => number;
  /** Event loop lag of late, 99th percentile. */
  readonly lagMs: () => number;
}

/** How a node was at one instant. Counts without a time go back to the start of its incarnation. */
export interface Sample {
  readonly node: string;
  readonly incarnation: number;
  /** The node's wall clock. */
  readonly atMs: number;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly lagMs: number;
  readonly actors: number;
  readonly agents: number;
  /** Messages that wait, in the first 10,000 actors of the tree. */
  readonly mailbox: number;
  readonly restarts: number;
  readonly deadLetters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Agents that run here now, by type; `restarts` since each was activated. */
  readonly types: Readonly<Record<string, { readonly agents: number; readonly mailbox: number; readonly restarts: number }>>;
}

/** What a subscriber gets. After `unsubscribed` nothing more comes: the monitor restarts or ends, and forgets who listened. */
export type MonitorEvent = { readonly type: 'sampled'; readonly sample: Sample } | { readonly type: 'unsubscribed' };

export type MonitorMessage =
  | Request<{ readonly type: 'latest' }, Sample>
  /** Each sample from now on, until the subscriber ends or unsubscribes. Refused with `overloaded` beyond 100 subscribers. */
  | Request<{ readonly type: 'subscribe'; readonly to: ActorRef<MonitorEvent> }, null>
  | Request<{ readonly type: 'unsubscribe'; readonly to: ActorRef<MonitorEvent> }, null>;
