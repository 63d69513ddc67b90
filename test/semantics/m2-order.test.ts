import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actor, kit } from '../actor/kit.ts';

test('M2: what several actors send to one is handled in the order in which each of them sent it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 30 })), { maxLength: 40 }),
      async (bursts) => {
        await using world = kit();
        const seen: [number, number][] = [];
        const sink = world.system.spawn(
          actor<{ readonly type: 'item'; readonly from: number; readonly n: number }>((_, { from, n }) => void seen.push([from, n])),
        );
        const sources = Array.from({ length: 5 }, (_, from) => {
          let n = 0;
          return world.system.spawn(
            actor<{ readonly type: 'send'; readonly count: number }>(async (_context, { count }) => {
              for (let index = 0; index < count; index++) {
                sink.tell({ type: 'item', from, n: n++ });
                if (index % 7 === 3) await Promise.resolve();
              }
            }),
          );
        });
        for (const [from, count] of bursts) sources[from]?.tell({ type: 'send', count });
        await world.settle();
        for (let from = 0; from < 5; from++) {
          const mine = seen.filter(([source]) => source === from).map(([, n]) => n);
          expect(mine).toEqual(mine.map((_, index) => index));
        }
        expect(seen.length).toBe(bursts.reduce((sum, [, count]) => sum + count, 0));
      },
    ),
    { numRuns: 30 },
  );
});
