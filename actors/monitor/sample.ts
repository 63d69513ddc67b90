import type { CellSnapshot } from '../../src/actor/snapshot.ts';
import type { System } from '../../src/actor/system.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { ProcessLoad, Sample } from './protocol.ts';

export interface Sampled {
  readonly system: System;
  readonly cluster: Cluster;
  readonly load: ProcessLoad;
}

/** Up to so many actors are walked for every sample. With more, the walk is made for each tenth sample only. */
const WALKED = 10_000;
const RARELY = 10;

type Walked = Pick<Sample, 'mailbox' | 'types'>;

/** Takes samples of one node. What takes a walk through all actors is repeated from the walk before where that would cost too much. */
export function sampler({ system, cluster, load }: Sampled): () => Sample {
  let walked: Walked | undefined;
  let taken = 0;
  return () => {
    if (walked === undefined || system.actors <= WALKED || ++taken % RARELY === 0) walked = walk(system, cluster);
    return {
      ...cluster.self,
      atMs: system.clock.wallMs(),
      cpu: load.cpu(),
      rssBytes: load.rssBytes(),
      heapBytes: load.heapBytes(),
      lagMs: load.lagMs(),
      actors: system.actors,
      agents: cluster.locals.count,
      restarts: system.counters.restarts,
      deadLetters: { ...system.deadLetters.counts },
      ...walked,
    };
  };
}

function walk(system: System, cluster: Cluster): Walked {
  const types = new Map<string, { agents: number; mailbox: number; restarts: number }>();
  for (const { type, mailbox, restarts } of cluster.locals.views()) {
    const sum = types.get(type) ?? { agents: 0, mailbox: 0, restarts: 0 };
    sum.agents++;
    sum.mailbox += mailbox;
    sum.restarts += restarts;
    types.set(type, sum);
  }
  return { mailbox: waiting(system.snapshot(WALKED)), types: Object.fromEntries(types) };
}

const waiting = (actor: CellSnapshot): number => actor.children.reduce((sum, child) => sum + waiting(child), actor.mailbox);
