import { anyOf, type Candidate, type Routing, type RoutingSpec, routing } from './routing.ts';

/** A mailbox holds our own requests too, all but the one at work: the larger of the two is the better guess. */
const load = ({ outstanding, waiting }: Candidate): number => Math.max(outstanding, waiting);

export const leastLoadedSpec: RoutingSpec<unknown, undefined, never> = {
  name: 'least-loaded',
  start: undefined,
  choose: (_state, candidates, _message, random) => {
    // From anywhere on, so that the first of the list is not everybody's favourite.
    const from = anyOf(candidates.length, random);
    let best = from;
    for (let step = 1; step < candidates.length; step++) {
      const index = (from + step) % candidates.length;
      if (load(candidates[index] as Candidate) < load(candidates[best] as Candidate)) best = index;
    }
    return [best, undefined];
  },
};

/** Whoever has least to do: our requests that it has not answered, or its mailbox where that can be seen. */
export const leastLoaded = (): Routing<unknown> => routing(leastLoadedSpec);
