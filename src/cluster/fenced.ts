import type { NodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';

/** Why a node ends itself: it was declared gone, or the store was out of reach for too long (C1). */
export type OverReason = 'declared-gone' | 'not-renewed';

export function fencedBy({ node, incarnation }: { readonly node: NodeId; readonly incarnation: number }, reason: OverReason): NexaError {
  const message = reason === 'declared-gone' ? 'this incarnation was declared gone' : 'the lease could not be renewed for too long';
  return new NexaError('fenced', message, {
    where: { node, incarnation: String(incarnation) },
    fix: 'Start the node again; its launcher does.',
  });
}
