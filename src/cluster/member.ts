import type { NodeId } from '../actor/address.ts';

export interface Member {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly state: 'joining' | 'up' | 'leaving' | 'gone';
  /** A hint on top of the state: not heard of lately, by this node. */
  readonly suspect: boolean;
  readonly cordoned: boolean;
  /** From beats: hints. */
  readonly suspended: boolean;
  readonly admits: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: number;
  readonly version: string;
  readonly wireVersions: readonly number[];
  /** Agent types it can run, with their versions. */
  readonly types: Readonly<Record<string, number>>;
}
