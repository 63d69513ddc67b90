import type { Address, NodeId } from '../actor/address.ts';

/** One incarnation of a node, as a way to send to or to hear from. */
export interface Peer {
  readonly node: NodeId;
  readonly incarnation: number;
}
export type ActorAddress = Extract<Address, { readonly kind: 'incarnation' }>;

export const samePeer = (a: Peer, b: Peer): boolean => a.incarnation === b.incarnation && a.node === b.node;
/** For maps: no node name has a dot. */
export const peerKey = (peer: Peer): string => `${peer.node}.${peer.incarnation}`;
