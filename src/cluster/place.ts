import type { NodeId } from '../actor/address.ts';

/** What every node keeps of an agent's record. */
export interface Place {
  readonly type: string;
  readonly id: string;
  readonly owner: { readonly node: NodeId; readonly incarnation: number } | undefined;
  /** Who has the head start in claiming it. */
  readonly prefer?: NodeId;
  readonly desired: 'running' | 'stopped' | 'quarantined';
  /** With an owner: its epoch. */
  readonly revision: number;
}
