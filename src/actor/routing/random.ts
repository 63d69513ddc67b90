import { anyOf, type Routing, type RoutingSpec, routing } from './routing.ts';

export const randomSpec: RoutingSpec<unknown, undefined, never> = {
  name: 'random',
  start: undefined,
  choose: (_state, candidates, _message, random) => [anyOf(candidates.length, random), undefined],
};

/** Any of them: what the others are measured against. */
export const random = (): Routing<unknown> => routing(randomSpec);
