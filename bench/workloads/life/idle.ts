import type { Actors, Stopped } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Contender, Workload } from '../../suite/workload.ts';
import { Counter } from '../measured.ts';

const collect = (globalThis as unknown as { readonly gc?: () => void }).gc;
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect?.();
  }
  return process.memoryUsage().heapUsed;
}

/** Each has taken a message before, and comes to its end afterwards: all of them live meanwhile. */
const perActor = (make: () => Actors & Stopped, size: number): Contender => ({
  async run({ count }) {
    const actors = make();
    const hits = new Counter();
    const hit = () => hits.hit();
    const spawn = actors.spawner(hit, hit);
    const spawned = new Array<unknown>(count(size));
    const before = await heapBytes();
    const taken = hits.expect(spawned.length);
    for (let index = 0; index < spawned.length; index++) spawned[index] = spawn(`a${index}`);
    for (const actor of spawned) actors.tellRaw(actor, { type: 'hello' });
    await taken;
    const bytes = (await heapBytes()) - before;
    const ended = hits.expect(spawned.length);
    for (const actor of spawned) actors.stop(actor);
    await ended;
    await actors.end();
    return { values: { size: bytes / spawned.length }, expected: hits.expected, seen: hits.seen };
  },
});

export const idle: Workload = {
  name: 'idle',
  about: 'Memory of 100,000 actors that have taken one message and wait for the next, each with a name and something to run at its end.',
  measures: { size: { unit: 'bytes/actor', better: 'less', steady: true } },
  cases: [''],
  contenders: {
    nexa: perActor(nexa, 100_000),
    nact: perActor(plainNact, 100_000),
    erlang: erlang('idle', 100_000),
    bound: perActor(bound, 100_000),
  },
  reach: [{ measure: 'size', limit: 900 }],
  words:
    'Of JavaScript’s heap after a full collection, the names and the references that somebody holds included. Ours can be watched, is bounded and is told from a successor of the same name; the bound has none of that. A process of Erlang has a heap and a stack of its own from the start, and no name here: its figure is `erlang:memory(processes)`.',
};
