import type { Actors, MakeActors } from '../../contenders/actors.ts';
import type { Contender, Run, Seen } from '../../suite/workload.ts';

/** Done when hit so often. */
export interface Counter {
  readonly done: Promise<void>;
  readonly hits: () => number;
  hit(): void;
}
export function counter(total: number): Counter {
  let hits = 0;
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    done,
    hits: () => hits,
    hit() {
      if (++hits === total) finish();
    },
  };
}
/** What is left over would still come: messages handled twice are seen as those that are lost. */
const afterwards = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Resolves when all is done; whether it was done once, `seen` tells afterwards, outside of the time. */
export type Work = (actors: Actors, size: number, at: string) => Promise<{ readonly expected: number; seen(): number | Promise<number> }>;

/** A quarter to warm up, for the compilers; then as many a second as it takes. */
export function perSecond(make: MakeActors, work: Work, size: number): Contender {
  return {
    async run({ at, count }: Run): Promise<Seen> {
      const actors = make();
      await work(actors, Math.ceil(count(size) / 4), at);
      const fromMs = performance.now();
      const { expected, seen } = await work(actors, count(size), at);
      const seconds = (performance.now() - fromMs) / 1_000;
      await afterwards();
      const result = { values: { rate: expected / seconds }, expected, seen: await seen() };
      await actors.end();
      return result;
    },
  };
}
