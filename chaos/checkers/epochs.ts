import { type Verdict, verdictOf } from './verdict.ts';

/** Something that one activation did: a record in the store, a message that left the gate. */
export interface Stamped {
  readonly agent: string;
  readonly epoch: number;
  /** The node incarnation that did it; where it is known, one epoch belongs to one of them. */
  readonly by?: string;
  /** For the report: which record, which message. */
  readonly what?: string;
}

/**
 * C2, C3: nothing of an older epoch after the first of a newer one, and no epoch of two nodes. The observations of an agent come
 * in one order that nobody disputes: the log's for records, one receiver's for messages.
 */
export function epochs(observations: readonly Stamped[]): Verdict {
  const latest = new Map<string, Stamped>();
  const ownerOf = new Map<string, string>();
  const violations: string[] = [];
  for (const seen of observations) {
    const { agent, epoch, by } = seen;
    const newest = latest.get(agent);
    if (newest !== undefined && epoch < newest.epoch) violations.push(`${agent}: ${describe(seen)} after ${describe(newest)}`);
    else latest.set(agent, seen);
    if (by === undefined) continue;
    const activation = JSON.stringify([agent, epoch]);
    const owner = ownerOf.get(activation);
    if (owner === undefined) ownerOf.set(activation, by);
    else if (owner !== by) violations.push(`${agent}: epoch ${epoch} belongs to ${owner}, and ${describe(seen)}`);
  }
  return verdictOf(violations);
}

const describe = ({ epoch, by, what }: Stamped): string => `${what ?? 'something'} of epoch ${epoch}${by === undefined ? '' : ` by ${by}`}`;
