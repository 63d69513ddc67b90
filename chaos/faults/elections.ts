import type { SeededRandom } from '../../src/memory/random.ts';
import type { Many, Target } from '../fault.ts';

/** NATS draws its election timers between these, milliseconds. */
const ELECTION = { least: 4_000, most: 9_000 };

/**
 * How long a store of three servers is without a leader when so many of its servers are killed, or (`stops`) stand still for `forMs`;
 * 0: that one was no leader. Milliseconds.
 */
export function electionMs(
  {
    target,
    many,
    forMs,
    stops,
  }: { readonly target: Target; readonly many: Many; readonly forMs: number | undefined; readonly stops: boolean },
  random: SeededRandom,
): number {
  const drawn = random.between(ELECTION.least, ELECTION.most);
  const leads = random.next() < 1 / 3;
  if (many === 'majority' || many === 'all') return (forMs ?? ELECTION.most) + drawn;
  if (target === 'store-follower' || (target !== 'store-leader' && !leads)) return 0;
  // One that only stood still for a moment goes on as the leader.
  return stops && forMs !== undefined ? Math.min(forMs, drawn) : drawn;
}
