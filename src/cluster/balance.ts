import type { NodeId } from '../actor/address.ts';
import { hash } from './placement.ts';

/** What one node carries: one for each agent, and one more for each percent of a core that its agents keep busy. */
export interface NodeLoad {
  readonly node: NodeId;
  readonly capacity: number;
  readonly load: number;
}
/** An agent of this node that may move, and who of the others may take it. */
export interface Movable {
  readonly key: string;
  readonly cost: number;
  readonly takers: ReadonlySet<NodeId>;
}
export interface Transfer {
  readonly key: string;
  readonly to: NodeId;
}

/** Nothing moves for less than this share of what is fair: rest is worth more than the last percent. */
const TOLERANCE = 0.05;
/** Sums of fractions are not exact. */
const EPSILON = 0.001;

/** The fullest node's load over its fair share: 1 is perfect. */
export function skew(nodes: readonly NodeLoad[]): number {
  const fair = fairness(nodes);
  return fair === 0 ? 1 : Math.max(...nodes.map(({ load, capacity }) => load / (capacity * fair)));
}
/** Load per unit of capacity if it were even. */
const fairness = (nodes: readonly NodeLoad[]): number => {
  const capacity = nodes.reduce((sum, node) => sum + node.capacity, 0);
  return capacity === 0 ? 0 : nodes.reduce((sum, node) => sum + node.load, 0) / capacity;
};

/**
 * This node's part of an even spread, as a pure function of what all nodes say they carry. Each node gives away no more than its
 * own surplus, to each taker in proportion to what that one lacks: all parts together fill the gaps and overfill none, so nobody
 * has to pass on what it received. `nodes` are those that take agents, this one among them.
 */
export function balance(self: NodeId, nodes: readonly NodeLoad[], mine: readonly Movable[]): readonly Transfer[] {
  const fair = fairness(nodes);
  const donors = nodes
    .map(({ node, load, capacity }) => ({ node, surplus: load - capacity * fair, tolerated: TOLERANCE * capacity * fair }))
    .filter(({ surplus }) => surplus > EPSILON)
    .sort((a, b) => (b.surplus % 1) - (a.surplus % 1) || (a.node < b.node ? -1 : 1));
  const place = donors.findIndex(({ node }) => node === self);
  const own = donors[place];
  if (own === undefined || own.surplus <= own.tolerated) return [];

  const total = donors.reduce((sum, { surplus }) => sum + surplus, 0);
  // What is left of the fractions makes whole agents again: the largest fractions give one each.
  const spare = Math.floor(total - donors.reduce((sum, { surplus }) => sum + Math.floor(surplus), 0) + EPSILON);
  let budget = Math.floor(own.surplus) + (place < spare ? 1 : 0);
  let surplus = own.surplus;
  const gaps = nodes
    .filter(({ load, capacity }) => load < capacity * fair)
    .map(({ node, load, capacity }) => ({ node, lacks: capacity * fair - load, share: ((capacity * fair - load) * budget) / total }));
  const transfers: Transfer[] = [];
  // The dearest first: the fewest moves.
  for (const { key, cost, takers } of [...mine].sort((a, b) => b.cost - a.cost || (a.key < b.key ? -1 : 1))) {
    if (budget < 1 - EPSILON) break;
    if (cost > budget + EPSILON) continue;
    const gap = gaps
      .filter(({ node, share }) => share > EPSILON && takers.has(node))
      .sort((a, b) => b.share - a.share || hash(`${self}>${a.node}`) - hash(`${self}>${b.node}`))[0];
    // Only while the two are further apart than the agent is heavy: else it would come back.
    if (gap === undefined || surplus + gap.lacks <= cost + EPSILON) continue;
    transfers.push({ key, to: gap.node });
    gap.share -= cost;
    gap.lacks -= cost;
    surplus -= cost;
    budget -= cost;
  }
  return transfers;
}
