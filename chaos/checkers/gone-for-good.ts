import type { Stamped } from './epochs.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** Why an agent is taken from an owner that was declared gone. */
const GONE: readonly string[] = ['crash', 'lease'];

/**
 * C1: a node incarnation that was declared gone never comes back. Whoever lost an agent because it was gone owns none ever after, in the order of the
 * records of ownership.
 */
export function goneForGood(records: readonly Stamped[]): Verdict {
  const owners = new Map<string, string>();
  const gone = new Map<string, string>();
  const violations: string[] = [];
  for (const { agent, by, cause = '', log } of records) {
    if (log !== 'AGENTS' || by === undefined) continue;
    const before = owners.get(agent);
    owners.set(agent, by);
    const since = gone.get(by);
    if (since !== undefined) violations.push(`${by} was gone when ${since} was taken from it, and became the owner of ${agent}`);
    if (before !== undefined && before !== by && GONE.includes(cause)) gone.set(before, agent);
  }
  return verdictOf(violations);
}
