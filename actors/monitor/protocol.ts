import type { DeadLetterReason } from '../../src/actor/events.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import type { Traffic } from '../../src/ports/transport.ts';

/** Lateness of the event loop's timers over the last half to whole second. */
export interface Lag {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
/** What this process uses. Each is read once per sample. */
export interface ProcessLoad {
  /** Share of one core since it was last read; above 1 with several threads. */
  readonly cpu: () => number;
  readonly rssBytes: () => number;
  readonly heapBytes: () => number;
  /** Buffers outside the heap. */
  readonly externalBytes: () => number;
  /** What the machine, or the container, has. */
  readonly memoryLimitBytes: () => number;
  readonly heapLimitBytes: () => number;
  readonly lag: () => Lag;
  /** Of this node's connections to NATS. */
  readonly nats: () => Traffic;
}

/** What passed between this node and one other incarnation, since the two first spoke. */
export interface PeerTraffic {
  readonly node: string;
  readonly incarnation: number;
  readonly sent: number;
  readonly sentBytes: number;
  readonly received: number;
  readonly receivedBytes: number;
  /** On their way, not yet known to have arrived. */
  readonly inFlight: number;
  /** Messages that never came, or came after a later one. */
  readonly gaps: number;
}

/** Agents of one type on one node. `restarts` of those that run now; `handled` and `failures` since the node's start. */
export interface TypeSample {
  readonly agents: number;
  readonly restarts: number;
  readonly handled: number;
  readonly failures: number;
  /** Since the sample before. */
  readonly handledPerS: number;
  /** From taking a message to its stored outcome, since the sample before. */
  readonly handlerMeanMs: number;
  /** An upper bound, exact to a factor of two. */
  readonly handlerP99Ms: number;
  /** Used and allocated. Messages that wait, their estimated bytes, and the bytes of the states. */
  readonly mailbox: number;
  readonly mailboxBytes: number;
  readonly stateBytes: number;
  readonly mailboxLimit: number;
  readonly mailboxLimitBytes: number;
  readonly stateLimitBytes: number;
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
  readonly externalBytes: number;
  /** Allocated: what `rssBytes` and `heapBytes` may become. */
  readonly memoryLimitBytes: number;
  readonly heapLimitBytes: number;
  /** The 99th percentile of the event loop's lateness. */
  readonly lagMs: number;
  readonly lagP50Ms: number;
  readonly lagMaxMs: number;
  readonly actors: number;
  readonly agents: number;
  /** Agents that should run and that no node may take at the moment, as this node sees it. */
  readonly unplaced: number;
  /** This node's share of the cluster's agents, relative to others. */
  readonly capacity: number;
  /** Messages and signals handled by all actors. */
  readonly turns: number;
  readonly turnsPerS: number;
  /** Frames to and from other nodes. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Frames that were refused: no frames or messages at all, of a wire version that this node lacks, of incarnations that are gone. */
  readonly refusedFrames: { readonly undecodable: number; readonly unknownVersion: number; readonly fromGone: number };
  /** Everything on this node's connections to NATS: also the store, beats, and requests from outside. */
  readonly nats: Traffic;
  /** The first 256. */
  readonly peers: readonly PeerTraffic[];
  /** Messages that wait, in the first 10,000 actors of the tree. */
  readonly mailbox: number;
  readonly restarts: number;
  readonly deadLetters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Agents that run or ran here, by type. */
  readonly types: Readonly<Record<string, TypeSample>>;
}

/** What a subscriber gets. After `unsubscribed` nothing more comes: the monitor restarts or ends, and forgets who listened. */
export type MonitorEvent = { readonly type: 'sampled'; readonly sample: Sample } | { readonly type: 'unsubscribed' };

export type MonitorMessage =
  | Request<{ readonly type: 'latest' }, Sample>
  /** The latest so many (1 … 600), oldest first, without their peers. Ten minutes are kept, until the monitor restarts. */
  | Request<{ readonly type: 'history'; readonly limit: number }, readonly Sample[]>
  /** Each sample from now on, until the subscriber ends or unsubscribes. Refused with `overloaded` beyond 100 subscribers. */
  | Request<{ readonly type: 'subscribe'; readonly to: ActorRef<MonitorEvent> }, null>
  | Request<{ readonly type: 'unsubscribe'; readonly to: ActorRef<MonitorEvent> }, null>;
