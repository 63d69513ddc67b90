import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Actors } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Contender, Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const ACTORS = 1_000;
/** How late timers are. */
const late = monitorEventLoopDelay({ resolution: 1 });
/** How long a turn of the loop takes. */
const turns = createHistogram();

function probeTurns(): () => void {
  let lastMs = performance.now();
  let next = setImmediate(function probe() {
    const nowMs = performance.now();
    turns.record(Math.max(1, Math.round((nowMs - lastMs) * 1e6)));
    lastMs = nowMs;
    next = setImmediate(probe);
  });
  return () => clearImmediate(next);
}

const work: Work<Actors> = async (actors, hits) => {
  const flooding = () =>
    actors.spawn((self, message) => {
      hits.hit();
      const left = message.left as number;
      if (left > 1) self.tell({ type: 'more', left: left - 1 });
    });
  const all = await Promise.all(Array.from({ length: ACTORS }, flooding));
  return async (size) => {
    const each = Math.ceil(size / ACTORS);
    late.enable();
    // What the warm-up was is forgotten.
    late.reset();
    turns.reset();
    const stop = probeTurns();
    const done = hits.expect(each * ACTORS);
    for (const actor of all) actor.tell({ type: 'more', left: each });
    await done;
    stop();
    late.disable();
  };
};
const MS = 1e6;
const probed = (contender: Contender): Contender => ({
  async run(run) {
    const seen = await contender.run(run);
    return { ...seen, values: { ...seen.values, timers: late.percentile(99) / MS, turns: turns.percentile(99) / MS } };
  },
});

export const flood: Workload = {
  name: 'flood',
  about: '1,000 actors that send themselves a message for each that they take, without end: what it leaves to everything else.',
  measures: {
    rate: { unit: 'messages/s', better: 'more' },
    timers: { unit: 'ms, p99', better: 'less' },
    turns: { unit: 'ms, p99', better: 'less' },
  },
  cases: [''],
  contenders: {
    nexa: probed(perSecond(nexa, work, 40_000_000)),
    nact: probed(perSecond(plainNact, work, 3_000_000)),
    bound: probed(perSecond(bound, work, 40_000_000)),
  },
  reach: [
    { measure: 'timers', limit: 5 },
    { measure: 'turns', limit: 5 },
  ],
  words:
    'A timer that is set to fire every millisecond and a turn of Node’s loop, at the 99th percentile: ours takes at most 4,096 messages or about 4 ms of them before it lets others run. A handler that computes for long is not interrupted.',
};
