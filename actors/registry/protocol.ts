import type { Request } from '../../src/actor/message.ts';
import type { AgentDescription } from '../../src/agent/describe.ts';
import type { AgentView } from '../../src/cluster/agents.ts';
import type { AgentHere, Crash, RunningAgent } from '../../src/cluster/hosting.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import type { ReminderView } from '../../src/cluster/reminders.ts';
import type { Letter } from '../../src/edge/letters.ts';

/** One line of `nexa types`. */
export interface TypeRow {
  readonly type: string;
  /** The highest that a node runs. */
  readonly version: number;
  /** durable or memory; empty, as the summary is, while no node that runs it answers. */
  readonly storage: string;
  /** Who can run it. */
  readonly nodes: readonly string[];
  readonly summary: string;
}
export type LocalType = Omit<TypeRow, 'nodes'>;

/** One agent as one node knows it. */
export interface AgentOnNode extends AgentHere {
  readonly node: string;
  readonly incarnation: number;
  /** Messages to it that died on this node; the last 20 of those that are kept. */
  readonly deadLetters: readonly Letter[];
}
/** `nexa inspect <type>/<id>`. */
export interface AgentInspection {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly incarnation: number | null;
  readonly epoch: number;
  readonly state: string;
  readonly desired: AgentRecord['desired'];
  /** Why it is where it is. */
  readonly cause: string;
  readonly why: string;
  readonly restart: string;
  readonly placement: unknown;
  /** Of the agent type that its owner runs. */
  readonly version: number;
  readonly spawnId: string | null;
  /** What may be shown of it: bounded, without fields whose names say that they are secret; null above 4 kB, and while the store is silent. */
  readonly config: unknown;
  /** Of what may be shown; null while the store is silent. */
  readonly configBytes: number | null;
  /** What its owner says; null if it does not run, or its owner does not answer. */
  readonly running: RunningAgent | null;
  readonly lastCrash: Crash | null;
  readonly answered: boolean;
  /** The next one first; empty also while the store is silent. */
  readonly reminders: readonly ReminderView[];
}
/** `nexa why <type>/<id>`. */
export interface AgentWhy {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number;
  readonly state: string;
  readonly cause: string;
  readonly why: string;
  /** Where it has been, newest last: the last 16. */
  readonly moves: readonly {
    readonly node: string;
    readonly incarnation: number;
    readonly cause: string;
    readonly why: string;
    readonly atMs: number;
    /** Null while it lasts. */
    readonly epoch: number | null;
  }[];
  /** The latest that a node remembers. */
  readonly lastCrash: (Crash & { readonly node: string }) | null;
  /** Messages to it that died, wherever that was; the last 50. */
  readonly deadLetters: readonly (Letter & { readonly node: string })[];
  /** False: the store was silent, and the moves are missing. */
  readonly complete: boolean;
  /** Nodes that did not answer. */
  readonly silent: readonly string[];
}

export type RegistryMessage =
  /** Agents, by type and id. `limit`: 1 … 10,000. */
  | Request<
      { readonly type: 'list'; readonly agent?: string | undefined; readonly id?: string | undefined; readonly limit: number },
      { readonly agents: readonly AgentView[]; readonly more: boolean }
    >
  /** All types that a running node offers. */
  | Request<{ readonly type: 'types' }, readonly TypeRow[]>
  /** Refused with `unknown-type`, or `unavailable` when none of those that run it answers. */
  | Request<{ readonly type: 'describe'; readonly agent: string }, AgentDescription>
  /** These two: null if there is no such agent; refused with what the store says. */
  | Request<{ readonly type: 'inspect'; readonly agent: string; readonly id: string }, AgentInspection | null>
  | Request<{ readonly type: 'why'; readonly agent: string; readonly id: string }, AgentWhy | null>
  /** Answered when its record says stopped; refused with what `ClusterAgents.stop` throws. */
  | Request<{ readonly type: 'stop'; readonly agent: string; readonly id: string; readonly forget: boolean }, null>
  /** Of this node alone: what registries ask each other. */
  | Request<{ readonly type: 'types-here' }, readonly LocalType[]>
  | Request<{ readonly type: 'describe-here'; readonly agent: string }, AgentDescription>
  | Request<{ readonly type: 'inspect-here'; readonly agent: string; readonly id: string }, AgentOnNode>;
