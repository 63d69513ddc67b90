import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from '../../src/durable/due-queue.ts';

test('the first is always the earliest, whatever was set and deleted before', () => {
  const key = fc.constantFrom(...'abcdefghij');
  const operation = fc.oneof(fc.tuple(key, fc.integer({ min: 0, max: 30 })), fc.tuple(key, fc.constant(undefined)));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const queue = new DueQueue();
      const model = new Map<string, number>();
      for (const [name, atMs] of operations) {
        if (atMs === undefined) {
          queue.delete(name);
          model.delete(name);
        } else {
          queue.set(name, atMs);
          model.set(name, atMs);
        }
        expect(queue.size).toBe(model.size);
        expect(queue.first?.atMs).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        expect(queue.first === undefined || model.get(queue.first.key) === queue.first.atMs).toBe(true);
      }
    }),
  );
});
