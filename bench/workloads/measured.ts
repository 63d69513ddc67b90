import type { Actors } from '../contenders/actors.ts';
import type { Contender, Run, Seen } from '../suite/workload.ts';

/** What is to be done, and what was seen to be done where it was done. */
export class Counter {
  expected = 0;
  seen = 0;
  private finish = (): void => {};

  /** So many more; resolves when all have come. */
  expect(more: number): Promise<void> {
    this.expected += more;
    return new Promise((resolve) => {
      this.finish = resolve;
    });
  }
  hit(): void {
    if (++this.seen === this.expected) this.finish();
  }
}

/** Makes its actors; what it returns has `hits` expect as many as `size` says, or a few more, and resolves when all were counted. */
export type Work<A> = (actors: A, hits: Counter, at: string) => Promise<(size: number) => Promise<void>>;

/** What is left over would still come: messages handled twice are seen as those that are lost. */
const afterwards = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** A quarter to warm up, for the compilers; then as many a second as it takes. */
export function perSecond<A extends Actors>(make: () => A | Promise<A>, work: Work<A>, size: number): Contender {
  return {
    async run({ at, count }: Run): Promise<Seen> {
      const actors = await make();
      const hits = new Counter();
      const go = await work(actors, hits, at);
      await go(Math.ceil(count(size) / 4));
      const before = hits.expected;
      const fromMs = performance.now();
      await go(count(size));
      const seconds = (performance.now() - fromMs) / 1_000;
      await afterwards();
      const { expected, seen } = hits;
      await actors.end();
      return { values: { rate: (expected - before) / seconds }, expected, seen };
    },
  };
}
