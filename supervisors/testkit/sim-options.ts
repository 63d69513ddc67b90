import type { AnyAgent } from '../../src/agent/define.ts';
import type { AdmissionLimits, MemoryUsage } from '../../src/cluster/admission.ts';
import type { ClusterTimes } from '../../src/cluster/config.ts';
import type { OverReason } from '../../src/cluster/fenced.ts';
import type { FaultSettings, MemoryConnection } from '../../src/memory/network.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { MemberNode } from '../member.ts';
import type { NodeClock } from './node-clock.ts';

export interface SimNode {
  readonly name: string;
  readonly clock: NodeClock;
  member: MemberNode | undefined;
  incarnation: number;
  alive: boolean;
}

export interface SimOptions {
  readonly seed: number;
  readonly definitions: readonly AnyAgent[];
  /** Of one node alone; default: those of all. */
  readonly definitionsOf?: (name: string) => readonly AnyAgent[];
  /** Types that a node which does not run them can still say what they ask for. */
  readonly known?: readonly AnyAgent[];
  readonly faults?: FaultSettings;
  readonly times?: ClusterTimes;
  /** By node. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly capacity?: Readonly<Record<string, number>>;
  readonly mostActive?: number;
  readonly admission?: Partial<AdmissionLimits>;
  /** What a node's memory is made to look like. Default: nobody looks. */
  readonly memoryOf?: (name: string) => MemoryUsage;
  readonly trace?: boolean;
  /** Default: lines on the console if `trace`. */
  readonly log?: Logger;
  /** What a test puts around the ports of a node, to watch them or to break what they guard. */
  readonly wrap?: (name: string, connection: MemoryConnection) => MemoryConnection;
  /** Times of one node alone; default: those of all. */
  readonly timesOf?: (name: string) => ClusterTimes;
  /** Of one node alone; default: all of this release. */
  readonly wireVersionsOf?: (name: string) => readonly number[];
  /** Called with each node incarnation as it comes up. */
  readonly onUp?: (node: SimNode, member: MemberNode) => void;
  readonly onOver?: (node: SimNode, reason: OverReason) => void;
  /** A launcher starts the next incarnation after an exit 75. Default: it does. */
  readonly relaunches?: boolean;
  /** Nodes have what real ones have besides for whoever looks from outside. Default: they carry their agents, and nobody looks. */
  readonly shown?: boolean;
  /** Every incarnation starts with a clock rate of 0.96 … 1.04; default true. */
  readonly drift?: boolean;
}
