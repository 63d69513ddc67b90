import type { NodeId } from '../actor/address.ts';
import type { Random } from '../ports/random.ts';
import { type Member, runs } from './member.ts';
import type { AgentRecord, PlacementWish } from './place.ts';

/** What placing needs to know of an agent. */
export interface Placeable {
  readonly type: string;
  readonly version: number;
  readonly id: string;
  readonly wish: PlacementWish;
}

const labelsMatch = (wanted: Readonly<Record<string, string>> | undefined, has: Readonly<Record<string, string>>): boolean =>
  wanted === undefined || Object.entries(wanted).every(([name, value]) => has[name] === value);

/** Who may take the agent: up, not cordoned, not suspended or suspect, admitting, of the type and version, with the labels. */
export const eligible = (agent: Placeable, members: readonly Member[]): readonly Member[] =>
  members.filter(
    (member) =>
      member.state === 'up' &&
      !member.cordoned &&
      !member.suspended &&
      !member.suspect &&
      member.admits &&
      member.capacity > 0 &&
      (runs(member, agent.type) ?? 0) >= agent.version &&
      labelsMatch(agent.wish.labels, member.labels) &&
      (agent.wish.node === undefined || agent.wish.node === member.node),
  );

/** FNV-1a with a final avalanche: spreads names that differ in one digit. 0 … 2^32-1. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Weighted rendezvous: everybody who sees the same members gets the same order, and losing one node moves only its agents.
 * Score -w / ln(u) (Schindelhauer & Schomaker 2005) gives each node a share that is proportional to its capacity.
 */
export function rendezvous(agent: Pick<Placeable, 'type' | 'id'>, members: readonly Member[]): readonly Member[] {
  const score = (member: Member): number => -member.capacity / Math.log((hash(`${agent.type}/${agent.id}@${member.node}`) + 0.5) / 2 ** 32);
  return members
    .map((member) => ({ member, score: score(member) }))
    .sort((a, b) => b.score - a.score || (a.member.node < b.member.node ? -1 : 1))
    .map(({ member }) => member);
}

/**
 * Where a new agent goes; undefined when nobody qualifies. `load`: agents per node, as the copy and the beats say (a hint).
 * Default: the less loaded of two random picks, exponentially better than one (Mitzenmacher 2001). Both the picks and the loads are
 * weighted by capacity: among many small nodes a large one must be looked at often enough to get its share.
 */
export function choose(
  agent: Placeable,
  members: readonly Member[],
  options: { readonly local: NodeId; readonly load: (node: NodeId) => number; readonly random: Random },
): NodeId | undefined {
  const candidates = eligible(agent, members);
  if (candidates.length === 0) return undefined;
  const strategy = agent.wish.strategy ?? 'least-loaded';
  if (strategy === 'local') return (candidates.find((member) => member.node === options.local) ?? rendezvous(agent, candidates)[0])?.node;
  if (strategy === 'rendezvous' || candidates.length === 1) return rendezvous(agent, candidates)[0]?.node;
  const a = pick(candidates, options.random);
  const others = candidates.filter((member) => member !== a);
  const b = pick(others, options.random);
  return options.load(a.node) / a.capacity <= options.load(b.node) / b.capacity ? a.node : b.node;
}

/** Of those who may take it, the one with the least load for its capacity; a tie goes by rendezvous, and so does its wish. */
export function emptiest(
  agent: Pick<AgentRecord, 'type' | 'id' | 'placement'>,
  members: readonly Member[],
  load: (node: NodeId) => number,
): Member | undefined {
  const ranked = rendezvous(agent, members);
  if (agent.placement.strategy === 'rendezvous') return ranked[0];
  return ranked.reduce<Member | undefined>(
    (best, member) => (best === undefined || load(member.node) / member.capacity < load(best.node) / best.capacity ? member : best),
    undefined,
  );
}

/** One of them, each with a chance that is proportional to its capacity. There is at least one. */
function pick(members: readonly Member[], random: Random): Member {
  let left = random.next() * members.reduce((sum, { capacity }) => sum + capacity, 0);
  for (const member of members) {
    left -= member.capacity;
    if (left < 0) return member;
  }
  return members.at(-1) as Member;
}
