import type { Request } from '../../src/actor/message.ts';
import type { AgentDescription } from '../../src/agent/describe.ts';
import type { AgentView } from '../../src/cluster/agents.ts';

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
  /** Answered when its record says stopped; refused with what `ClusterAgents.stop` throws. */
  | Request<{ readonly type: 'stop'; readonly agent: string; readonly id: string; readonly forget: boolean }, null>
  /** As `types` and `describe`, of this node alone: what registries ask each other. */
  | Request<{ readonly type: 'types-here' }, readonly LocalType[]>
  | Request<{ readonly type: 'describe-here'; readonly agent: string }, AgentDescription>;
