import {
  type HealthCheck,
  type HealthMessage,
  health,
  type MonitorMessage,
  monitor,
  type NodeFacts,
  type NodeMessage,
  nodeActor,
  type ProcessLoad,
  type RegistryMessage,
  registry,
} from '../../actors/index.ts';
import { oneForOne } from '../../src/actor/strategy.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import type { LogRing } from '../../src/edge/log-ring.ts';
import type { MemberNode } from '../member.ts';
import { childRef, type Refs, supervise, type Tree } from '../supervise.ts';

export interface NodeTreeNeeds {
  readonly member: MemberNode;
  /** The agent types of this node. */
  readonly definitions: readonly AnyAgent[];
  readonly load: ProcessLoad;
  readonly facts: () => NodeFacts;
  readonly logs: LogRing;
  /** What is looked at. Default: what a node looks at by itself. */
  readonly checks?: readonly HealthCheck[];
  /** Begins the graceful leave and returns at once. */
  readonly leave: () => void;
  readonly cordon: Parameters<typeof nodeActor>[0]['cordon'];
  readonly drain: Parameters<typeof nodeActor>[0]['drain'];
}
interface NodeTreeMessages {
  readonly monitor: MonitorMessage;
  readonly health: HealthMessage;
  readonly registry: RegistryMessage;
  readonly node: NodeMessage;
}

/**
 * The actors that every node has besides its agents. They show and serve, no agent depends on them: one that keeps failing is
 * restarted ever more slowly and never fells the node.
 */
export const nodeTree: Tree<NodeTreeNeeds, NodeTreeMessages> = {
  name: 'system',
  strategy: oneForOne({
    maxRestarts: Number.POSITIVE_INFINITY,
    withinMs: 60_000,
    backoff: { minMs: 50, maxMs: 10_000, factor: 2, jitter: 0.2 },
  }),
  children: {
    monitor: ({ member, load }) => monitor({ ...member, load }),
    health: ({ member, checks }) =>
      health({
        system: member.system,
        monitor: childRef(member.system, nodeTree, 'monitor'),
        ...(checks === undefined ? {} : { checks }),
      }),
    registry: ({ member, definitions }) =>
      registry({
        ...member,
        definitions,
        peer: (node, incarnation) => childRef(member.system, nodeTree, 'registry', { node, incarnation }),
      }),
    node: ({ member, facts, logs, leave, cordon, drain }) =>
      nodeActor({
        ...{ ...member, facts, logs, leave, cordon, drain },
        monitor: childRef(member.system, nodeTree, 'monitor'),
        health: childRef(member.system, nodeTree, 'health'),
      }),
  },
};
export type NodeRefs = Refs<NodeTreeMessages>;

/** Of a node's own actors, whether they run or not. */
export const nodeRefs = ({ system }: MemberNode): NodeRefs => ({
  monitor: childRef(system, nodeTree, 'monitor'),
  health: childRef(system, nodeTree, 'health'),
  registry: childRef(system, nodeTree, 'registry'),
  node: childRef(system, nodeTree, 'node'),
});

/** Starts a node's own actors. */
export const superviseNode = (member: MemberNode, needs: Omit<NodeTreeNeeds, 'member'>): NodeRefs =>
  supervise(member.system, nodeTree, { ...needs, member });
