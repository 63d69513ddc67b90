import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Journal } from '../../src/durable/journal.ts';
import { Journal as Opened } from '../../src/durable/journal.ts';
import { adding, journalWorld } from './journals.ts';

/** What happens next: an owner writes, a next one opens or the same one again (it was put away), one stops in the middle, or time goes by. */
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('commit' as const), owner: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), owner: fc.nat(2), again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), owner: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
);
const faults = fc.record({
  delayMs: fc.constantFrom([0, 0], [1, 20], [5, 400]) as fc.Arbitrary<readonly [number, number]>,
  unknownApplied: fc.constantFrom(0, 0.1, 0.3),
  unknownLost: fc.constantFrom(0, 0.1, 0.3),
  late: fc.constantFrom(0, 0.1, 0.3),
  // More of them would go on for longer than what does not join is given.
  staleRead: fc.constantFrom(0, 0.1, 0.2),
});

test('whatever the store does and whoever takes over: what was acknowledged is there once, in order, and of one epoch at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      faults,
      fc.integer({ min: 1, max: 9 }),
      async (steps, store, events) => {
        const world = await journalWorld(store);
        const { clock } = world;
        /** By when it was begun and when it was acknowledged, in steps of one count. */
        const acknowledged: { readonly item: number; readonly begun: number; readonly ended: number }[] = [];
        let count = 0;
        const odd: unknown[] = [];
        const owners: { journal?: Journal | undefined; busy: boolean; epoch: number; abort: AbortController }[] = Array.from(
          { length: 3 },
          () => ({ busy: false, epoch: 0, abort: new AbortController() }),
        );
        let epoch = 0;
        let item = 0;
        for (const each of steps) {
          if (each.do === 'wait') {
            await clock.advance(each.ms);
            continue;
          }
          const owner = owners[each.owner] as (typeof owners)[number];
          if (each.do === 'crash') {
            owner.abort.abort();
            Object.assign(owner, { journal: undefined, busy: false, abort: new AbortController() });
          } else if (each.do === 'open') {
            owner.abort.abort();
            const abort = new AbortController();
            if (!each.again || owner.epoch === 0) owner.epoch = ++epoch;
            Object.assign(owner, { journal: undefined, busy: true, abort });
            void Opened.open(world.at(owner.epoch, { signal: abort.signal, snapshotEvery: { events, bytes: 1_000_000 } })).then(
              (journal) => {
                if (!abort.signal.aborted) Object.assign(owner, { journal, busy: false });
              },
              (error) => {
                if (error.code !== 'fenced') odd.push(error);
                if (!abort.signal.aborted) owner.busy = false;
              },
            );
          } else if (!owner.busy && owner.journal !== undefined) {
            const { journal, abort } = owner;
            const mine = ++item;
            const begun = ++count;
            owner.busy = true;
            void journal.commit(adding(journal, mine)).then(
              () => {
                // Also of one that was given up meanwhile: it was stored.
                acknowledged.push({ item: mine, begun, ended: ++count });
                if (!abort.signal.aborted) owner.busy = false;
              },
              (error) => {
                if (error.code !== 'fenced' || error.definite) odd.push(error);
                if (!abort.signal.aborted) Object.assign(owner, { journal: undefined, busy: false });
              },
            );
          }
          await clock.advance(1);
        }
        await clock.advance(30_000);
        for (const owner of owners) owner.abort.abort();
        world.calmDown();
        await clock.advance(30_000);
        expect(odd).toEqual([]);
        const last = await world.open(++epoch);
        const there = last.state as readonly number[];
        expect(new Set(there).size).toBe(there.length);
        expect(acknowledged.filter(({ item }) => !there.includes(item))).toEqual([]);
        for (const one of acknowledged)
          for (const other of acknowledged)
            if (one.ended < other.begun) expect(there.indexOf(one.item)).toBeLessThan(there.indexOf(other.item));
        const records = await world.records();
        expect(records.map((record) => record.epoch)).toEqual([...records.map((record) => record.epoch)].sort((one, other) => one - other));
        for (const [index, { n }] of records.entries()) if (index > 0) expect(n).toBe((records[index - 1]?.n ?? 0) + 1);
      },
    ),
    { numRuns: Number(process.env.NEXA_RUNS ?? 150) },
  );
}, 120_000);
