import type { Stamped } from './epochs.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/**
 * C2: who writes an agent's state was made its owner. An epoch is the revision of the record in AGENTS that names the owner; one that names
 * nobody, or is another agent's, gave nobody the right. A record that was overwritten before it was seen proves nothing. A deletion
 * (`what` begins so, or ends so) is written by whoever ended the agent.
 */
export function granted(records: readonly Stamped[]): Verdict {
  const rights = new Map(records.filter(({ log }) => log === 'AGENTS').map((each) => [each.epoch, each]));
  const reported = new Set<string>();
  return verdictOf(
    records.flatMap(({ agent, epoch, what = 'something', log }) => {
      const right = rights.get(epoch);
      if (log === undefined || log === 'AGENTS' || right === undefined || /deletion/.test(what)) return [];
      const name = `${agent} ${epoch}`;
      if ((right.agent === agent && right.by !== undefined) || reported.has(name)) return [];
      reported.add(name);
      const gave = right.agent === agent ? 'by which nobody owned it' : `which was given to ${right.agent}`;
      return [`${agent}: ${what} in ${log} is of epoch ${epoch}, ${gave}`];
    }),
  );
}
