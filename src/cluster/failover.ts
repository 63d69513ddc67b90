import type { NodeId } from '../actor/address.ts';
import type { Member } from './member.ts';
import type { AgentRecord } from './place.ts';
import { eligible, rendezvous } from './placement.ts';

/** Whether somebody ought to claim it: meant to run, and its owner is none or recorded gone. */
export const orphaned = (place: Pick<AgentRecord, 'desired' | 'owner'>, isGone: (node: NodeId, incarnation: number) => boolean): boolean =>
  place.desired === 'running' && (place.owner === undefined || isGone(place.owner.node, place.owner.incarnation));

/** A temporary agent does not survive the loss of its node: its record is written stopped instead of claimed. */
export const mayReturn = (record: Pick<AgentRecord, 'restart'>): boolean => record.restart !== 'temporary';

/** Who may claim it, the first of them first. A named node is a wish of the spawn, not a chain: when it is lost, the agent goes on elsewhere. */
export function claimers(agent: Pick<AgentRecord, 'type' | 'id' | 'version' | 'placement'>, members: readonly Member[]): readonly Member[] {
  const { node: _named, ...wish } = agent.placement;
  return eligible({ type: agent.type, id: agent.id, version: agent.version, wish }, members);
}

/**
 * How long `self` waits before it claims an orphan; undefined when it must not. Rank k of the rendezvous waits k steps, so that
 * normally one node claims; two that race are harmless, the CAS decides. Whoever the last owner preferred goes first.
 */
export function claimDelayMs(
  self: NodeId,
  agent: Pick<AgentRecord, 'type' | 'id' | 'version' | 'placement' | 'prefer'>,
  members: readonly Member[],
  rankMs: number,
): number | undefined {
  const ranked = rendezvous(agent, claimers(agent, members));
  const order = ranked.some((member) => member.node === agent.prefer)
    ? [agent.prefer, ...ranked.map((member) => member.node).filter((node) => node !== agent.prefer)]
    : ranked.map((member) => member.node);
  const rank = order.indexOf(self);
  return rank < 0 ? undefined : rank * rankMs;
}
