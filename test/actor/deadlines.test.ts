import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines, type Due } from '../../src/actor/deadlines.ts';
import { virtualClock } from '../../src/memory/virtual-clock.ts';

test('each deadline fires once, at its millisecond, unless it was removed; and one timer serves them all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 500 }), fc.boolean(), fc.nat({ max: 20 })), { maxLength: 200 }), (program) => {
      const clock = virtualClock();
      const deadlines = new Deadlines(clock);
      const fired: [number, number][] = [];
      const expected: [number, number][] = [];
      const dues: Due[] = [];
      program.forEach(([inMs, remove, pause], index) => {
        const deadlineMs = clock.monotonicMs() + inMs;
        const due: Due = {
          deadlineMs,
          bucket: undefined,
          before: undefined,
          after: undefined,
          expire: () => void fired.push([clock.monotonicMs(), index]),
        };
        dues.push(due);
        deadlines.add(due);
        if (remove) deadlines.remove(due);
        else expected.push([deadlineMs, index]);
        expect(clock.pending).toBeLessThanOrEqual(1);
        clock.advance(pause);
      });
      clock.advance(1_000);
      const order = (a: [number, number], b: [number, number]) => a[0] - b[0] || a[1] - b[1];
      expect(fired.sort(order)).toEqual(expected.sort(order));
      expect(clock.pending).toBe(0);
    }),
  );
});
