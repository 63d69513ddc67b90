import { NexaError } from '../../errors.ts';
import type { Random } from '../../ports/random.ts';

/** One routee as a strategy sees it. `L` is what the strategy has learned of it. */
export interface Candidate<out L = unknown> {
  /** The text of its address: the same as long as it lives. */
  readonly key: string;
  /** Requests of this router that it has not answered yet. */
  readonly outstanding: number;
  /** Messages in its mailbox, if it lives on this node; else 0. */
  readonly waiting: number;
  readonly learned: L | undefined;
}

/** A strategy as data: pure, so that it is tested without actors and without a clock. */
export interface RoutingSpec<in M, S, L> {
  readonly name: string;
  /** What is kept from one choice to the next, of one router. */
  readonly start: S;
  /** An index into `candidates`, which are never empty, and the next state. The array is another one whenever the routees are others. */
  readonly choose: (
    state: S,
    candidates: readonly Candidate<L>[],
    message: M,
    random: Pick<Random, 'next'>,
    nowMs: number,
  ) => readonly [index: number, state: S];
  /** What is known of a routee once an ask of it took so long; a failure counts as the asker's whole deadline. */
  readonly learn?: (learned: L | undefined, tookMs: number, nowMs: number) => L;
}

/** How a router chooses; made by {@link roundRobin}, {@link random}, {@link leastLoaded}, {@link latencyAware}, {@link consistentHash} or {@link routing}. */
export interface Routing<in M> {
  readonly name: string;
  readonly begin: (random: Pick<Random, 'next'>) => Chooser<M>;
}
/** A strategy at work in one router. */
export interface Chooser<in M> {
  /** `again`: for a message that was refused elsewhere; nothing is kept of that choice. */
  readonly choose: (candidates: readonly Candidate[], message: M, nowMs: number, again: boolean) => number;
  readonly learn: ((learned: unknown, tookMs: number, nowMs: number) => unknown) | undefined;
}

/** A strategy of one's own. */
export function routing<M, S, L>(spec: RoutingSpec<M, S, L>): Routing<M> {
  const { name, learn } = spec;
  return {
    name,
    begin: (random) => {
      let state = spec.start;
      return {
        learn: learn === undefined ? undefined : (learned, tookMs, nowMs) => learn(learned as L | undefined, tookMs, nowMs),
        choose(candidates, message, nowMs, again) {
          const [index, next] = spec.choose(state, candidates as readonly Candidate<L>[], message, random, nowMs);
          if (!again) state = next;
          if (Number.isInteger(index) && index >= 0 && index < candidates.length) return index;
          throw new NexaError('invalid-definition', `the strategy ${name} chose ${index} of ${candidates.length} routees`);
        },
      };
    },
  };
}

/** A uniform index below `count`. */
export const anyOf = (count: number, random: Pick<Random, 'next'>): number => Math.min(count - 1, Math.floor(random.next() * count));
