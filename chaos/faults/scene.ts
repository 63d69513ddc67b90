import type { SeededRandom } from '../../src/memory/random.ts';
import type { Act, Place } from '../act.ts';
import type { Link, World } from '../world.ts';

/** What one fault has to do itself with. */
export interface FaultScene {
  readonly world: World;
  /** That are to be there, and are met; not those that only joined for a while. */
  readonly nodes: readonly Place[];
  /** Of this fault alone: what the others draw leaves it alone. */
  readonly random: SeededRandom;
  /** Does it and notes when. @throws NexaError as `act` of the world. */
  act(act: Act): Promise<void>;
  /**
   * Does the first of each pair, waits, then does the second: unless another fault that began meanwhile still holds the same.
   * Without `forMs` it stays until everything heals.
   */
  hold(pairs: readonly Held[], forMs: number | undefined): Promise<void>;
  /** Aborted when the drill is given up. */
  readonly signal: AbortSignal;
  /** Says that a place is met by this fault: what happens to it is no wonder. */
  meets(places: readonly Place[]): void;
  /** @throws what the drill was given up with. */
  wait(ms: number): Promise<void>;
  /** Until every node of the cluster that was started says that it runs; a while at most, and then it goes on. */
  settled(): Promise<void>;
  /** Everything that was broken is mended and started, and the cluster gets the time to recover. */
  heal(): Promise<void>;
  /** A connection of this fault's own, closed when it is over. */
  link(): Promise<Link>;
}

export interface Held {
  readonly on: Act;
  readonly off: Act;
}
