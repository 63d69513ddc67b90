import { consistentHash, latencyAware, leastLoaded, type Request, type Routing, random, roundRobin } from 'nexa';

export type Work = Request<{ readonly type: 'work'; readonly key: string }, null>;

/** All that the package has, by the names of its own. */
export const strategies: Readonly<Record<string, () => Routing<Work>>> = {
  latencyAware,
  leastLoaded,
  roundRobin,
  consistentHash: () => consistentHash<Work>(({ key }) => key),
  random,
};
/** Until all that was sent has been handled. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};
