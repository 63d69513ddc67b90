import type { Actors, Stopped } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { Counter, perSecond, type Work } from '../measured.ts';

/** Alive at the same time. */
const ALIVE: Readonly<Record<string, number>> = { 'one by one': 1, '100,000 at once': 100_000 };
const alive = (at: string): number => ALIVE[at] ?? 1;

const work: Work<Actors & Stopped> = async (actors, hits, at) => {
  const taken = new Counter();
  const spawn = actors.spawner(
    () => taken.hit(),
    () => hits.hit(),
  );
  // A name is free again at some time after its actor has ended.
  let named = 0;
  return async (size) => {
    for (let left = size; left > 0; left -= alive(at)) {
      const batch = Math.min(left, alive(at));
      const started = taken.expect(batch);
      const ended = hits.expect(batch);
      const spawned = Array.from({ length: batch }, () => spawn(`a${++named}`));
      for (const actor of spawned) actors.tellRaw(actor, { type: 'hello' });
      await started;
      for (const actor of spawned) actors.stop(actor);
      await ended;
    }
  };
};

export const spawnStop: Workload = {
  name: 'spawn-stop',
  about:
    'Actors spawned with a name, told one message and stopped, until each has run what it does at its end: one after the other, and 100,000 alive at once.',
  measures: { rate: { unit: 'actors/s', better: 'more' } },
  cases: Object.keys(ALIVE),
  contenders: {
    nexa: perSecond(nexa, work, 400_000),
    nact: perSecond(plainNact, work, 100_000),
    erlang: erlang('spawn-stop', 400_000, alive),
    bound: perSecond(bound, work, 2_000_000),
  },
  reach: [{ measure: 'rate', beside: 'nact', ratio: 2 }],
  words:
    'Nobody knows an actor of the bound by name, and no process of Erlang: there each is monitored instead, and its end is the message of its monitor. Erlang runs on one scheduler (`+S 1:1`).',
};
