import { type Verdict, verdictOf } from './verdict.ts';

/** Something that one activation did: a record in the store, a message that left the gate. */
export interface Stamped {
  readonly agent: string;
  readonly epoch: number;
  /** The node incarnation that did it; where it is known, one epoch belongs to one of them. */
  readonly by?: string;
  /** For the report: which record, which message. */
  readonly what?: string;
  /** Where it was seen: the name of a store, a receiver. Two of them have no order in common, each is judged by its own. */
  readonly log?: string;
  /** When it was seen, on the drill's clock; the order is not taken from it. */
  readonly atMs?: number;
  /** Of a record that says who owns the agent: why it is there (`crash`, `rebalance` …). */
  readonly cause?: string;
}

/**
 * C2, C3: nothing of an older epoch after the first of a newer one, and no epoch of two nodes. The observations of an agent in one log come
 * in one order that nobody disputes: the store's for records, one receiver's for messages.
 */
export function epochs(observations: readonly Stamped[]): Verdict {
  const latest = new Map<string, Stamped>();
  const ownerOf = new Map<string, string>();
  const violations: string[] = [];
  for (const seen of observations) {
    const { agent, epoch, by, log } = seen;
    const chain = JSON.stringify([agent, log]);
    const newest = latest.get(chain);
    if (newest !== undefined && epoch < newest.epoch) violations.push(`${agent}: ${describe(seen)} after ${describe(newest)}`);
    else latest.set(chain, seen);
    if (by === undefined) continue;
    const activation = JSON.stringify([agent, epoch]);
    const owner = ownerOf.get(activation);
    if (owner === undefined) ownerOf.set(activation, by);
    else if (owner !== by) violations.push(`${agent}: epoch ${epoch} belongs to ${owner}, and ${describe(seen)}`);
  }
  return verdictOf(violations);
}

const describe = ({ epoch, by, what }: Stamped): string => `${what ?? 'something'} of epoch ${epoch}${by === undefined ? '' : ` by ${by}`}`;
