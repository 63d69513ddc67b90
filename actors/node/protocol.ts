import type { Request } from '../../src/actor/message.ts';
import type { AdmissionLevel } from '../../src/cluster/admission.ts';
import type { Gap, PeerView } from '../../src/cluster/peers-heard.ts';
import type { Letter } from '../../src/edge/letters.ts';
import type { LogPage, LogWanted } from '../../src/edge/log-ring.ts';
import type { SelfTest } from '../../src/ports/check.ts';
import type { Health } from '../health/protocol.ts';
import type { Sample } from '../monitor/protocol.ts';

/** The parts of a node that have to be in order before it is ready. */
export type Subsystem = 'transport' | 'store' | 'lease' | 'copies' | 'recovery' | 'self-test';
export type SubsystemState = 'ok' | 'degraded' | 'waiting' | 'failed';

/** What only the composition of the node knows of it. */
export interface NodeFacts {
  readonly state: string;
  readonly cluster: string;
  readonly natsServers: readonly string[];
  /** `memory`, or the version of the NATS server. */
  readonly server: string;
  /** What an acknowledged write survives: memory, quorum or fsync; `verified` where the servers let us look. */
  readonly durability: string;
  readonly verified: boolean;
  readonly replicas: number;
  readonly uptimeMs: number;
  /** Of this start: the same on every line of its log. */
  readonly boot: string;
  /** It has joined, tested itself, looked for agents to take over, and serves. */
  readonly ready: boolean;
  /** Optional checks that failed: it runs without what they look at. */
  readonly degraded: readonly string[];
  readonly subsystems: Readonly<Record<Subsystem, SubsystemState>>;
  readonly selfTest: SelfTest;
}

/** `nexa status`. What the monitor measures is null while it does not answer. */
export interface NodeStatus extends NodeFacts {
  readonly node: string;
  readonly incarnation: number;
  readonly suspended: boolean;
  readonly cordoned: boolean;
  /** Members that are not gone. */
  readonly members: number;
  readonly agents: number;
  /** Agents that should run and that no node may take at the moment, as this node sees it. */
  readonly unplaced: number;
  /** What it does about its memory (the share that is used, null where nobody measures), and how many agents it takes. */
  readonly admission: { readonly level: AdmissionLevel; readonly memory: number | null; readonly maxAgents: number };
  readonly deadLetters: number;
  readonly restarts: number;
  readonly lagMs: number | null;
  readonly rssBytes: number | null;
  readonly cpu: number | null;
  /** What its checks say; null while that does not answer. */
  readonly health: Health | null;
  /** The node's wall clock when it answered. */
  readonly atMs: number;
  /** At most 200 of the other members that are up. */
  readonly peers: readonly PeerView[];
  /** Ways that messages do not take, as far as this node hears of them. */
  readonly gaps: readonly Gap[];
}

/** One member in `nexa nodes`. What its beats say is null until one of this incarnation was heard. */
export interface NodeRow {
  readonly node: string;
  readonly incarnation: number;
  readonly state: 'starting' | 'running' | 'stopping' | 'gone';
  /** Not heard of lately, by the node that answers. */
  readonly suspect: boolean;
  /** As it says itself; null until it is heard. */
  readonly ready: boolean | null;
  readonly degraded: boolean | null;
  readonly suspended: boolean;
  /** An operator wants no new agents on it. */
  readonly cordoned: boolean;
  /** Whether it takes new agents at the moment: not while it is cordoned, suspended or full. */
  readonly admits: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: number;
  readonly version: string;
  readonly pid: number | null;
  readonly agents: number | null;
  readonly lagMs: number | null;
}

/** One live actor and those below it. */
export interface NodeTree {
  readonly name: string;
  readonly path: string;
  readonly state: string;
  /** Messages that wait. */
  readonly mailbox: number;
  readonly restarts: number;
  /** Why it last failed. */
  readonly lastReason: string | null;
  readonly children: readonly NodeTree[];
  /** At the top: actors left out, because one answer holds only so many. */
  readonly more?: number;
}

/** What became of a drain. */
export interface DrainReport {
  readonly moved: number;
  /** Still on the node. */
  readonly left: number;
  /** Of those that moved: their state was in memory only. */
  readonly lostMemory: number;
  /** One of those that no other node may take, and what it asks for. */
  readonly blocked: {
    readonly type: string;
    readonly id: string;
    readonly version: number;
    readonly labels: Readonly<Record<string, string>>;
  } | null;
}
/** The least, the mean and the greatest of one figure over the samples of the last minute. */
export interface Range {
  readonly least: number;
  readonly mean: number;
  readonly most: number;
}
/** `nexa inspect node`. What the monitor measures is null while it does not answer. */
export interface NodeInspection {
  readonly status: NodeStatus;
  readonly sample: Sample | null;
  readonly lastMinute: { readonly cpu: Range; readonly lagMs: Range; readonly rssBytes: Range; readonly turnsPerS: Range } | null;
  /** The last 20. */
  readonly deadLetters: readonly Letter[];
}

export type NodeMessage =
  | Request<{ readonly type: 'cordon'; readonly on: boolean; readonly timeoutMs: number }, null>
  | Request<{ readonly type: 'drain'; readonly timeoutMs: number }, DrainReport>
  | Request<{ readonly type: 'status' }, NodeStatus>
  | Request<{ readonly type: 'nodes' }, readonly NodeRow[]>
  | Request<{ readonly type: 'tree' }, NodeTree>
  | Request<{ readonly type: 'inspect' }, NodeInspection>
  | Request<{ readonly type: 'logs' } & LogWanted, LogPage>
  /** Answered when the graceful leave has begun. */
  | Request<{ readonly type: 'leave' }, null>;
