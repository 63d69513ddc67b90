import { type Routing, type RoutingSpec, routing } from './routing.ts';

/** The state is whose turn it is. */
export const roundRobinSpec: RoutingSpec<unknown, number, never> = {
  name: 'round-robin',
  start: 0,
  choose: (turn, candidates) => [turn % candidates.length, (turn + 1) % Number.MAX_SAFE_INTEGER],
};

/** One after the other: while the routees stay the same, none is ever two messages ahead of another. */
export const roundRobin = (): Routing<unknown> => routing(roundRobinSpec);
