import { describe, expect, test } from 'vitest';
import { actor, kit, outcome } from '../actor/kit.ts';

type Item = { readonly type: 'item'; readonly n: number; readonly text?: string };
const fill = (overflow: 'reject' | 'drop-oldest' | 'drop-newest') => {
  const world = kit();
  const seen: number[] = [];
  const ref = world.system.spawn(actor<Item>((_, { n }) => void seen.push(n), { mailbox: { limit: 10, overflow } }));
  return { world, seen, ref };
};

describe('M5: every mailbox is bounded', () => {
  test.each([
    ['reject', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['drop-newest', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['drop-oldest', [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]],
  ] as const)('%s loses the right ones, as dead letters', async (overflow, kept) => {
    const { world, seen, ref } = fill(overflow);
    await using _ = world;
    for (let n = 0; n < 15; n++) ref.tell({ type: 'item', n });
    await world.settle();
    expect(seen).toEqual(kept);
    expect(world.system.deadLetters.counts).toEqual({ 'mailbox-full': 5 });
  });

  test('a producer hears false before anything is lost, and ready resolves when there is room', async () => {
    const { world, seen, ref } = fill('reject');
    await using _ = world;
    const accepted = Array.from({ length: 8 }, (_, n) => ref.tell({ type: 'item', n }));
    expect(accepted).toEqual([true, true, true, true, true, true, true, false]);
    const ready = ref.ready({ timeoutMs: 100 });
    await world.settle();
    await ready;
    expect(seen).toHaveLength(8);
    expect(world.deadLetters()).toEqual([]);
    expect(ref.tell({ type: 'item', n: 8 })).toBe(true);
    await ref.ready({ timeoutMs: 1 });
  });

  test('ready gives up in time, by its signal, and when the actor ends', async () => {
    await using world = kit();
    const stuck = world.system.spawn(actor<Item>(() => new Promise<void>(() => {}), { mailbox: { limit: 1 } }));
    await world.settle();
    stuck.tell({ type: 'item', n: 0 });
    await world.settle();
    stuck.tell({ type: 'item', n: 1 });
    const gone = new AbortController();
    const waits = [
      outcome(stuck.ready({ timeoutMs: 100 })),
      outcome(stuck.ready({ timeoutMs: 1_000, signal: gone.signal })),
      outcome(stuck.ready({ timeoutMs: 60_000 })),
    ];
    await world.advance(100);
    gone.abort();
    world.system.stopActor(stuck);
    await world.advance(5_000);
    expect(await Promise.all(waits)).toEqual(['ask-timeout', 'cancelled', 'no-such-actor']);
    expect(await outcome(stuck.ready({ timeoutMs: 1 }))).toBe('no-such-actor');
  });

  test('large messages are refused by their bytes before the count is reached', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Item>(() => {}, { mailbox: { limit: 10_000, limitBytes: 100_000 } }));
    for (let n = 0; n < 200; n++) ref.tell({ type: 'item', n, text: 'x'.repeat(1_000) });
    expect(world.system.deadLetters.counts['mailbox-full']).toBeGreaterThan(100);
  });

  test('the stash counts too, and is refused as stash-full', async () => {
    await using world = kit();
    const errors: unknown[] = [];
    const ref = world.system.spawn(
      actor<Item>(
        (context) => {
          try {
            context.stash();
          } catch (error) {
            errors.push((error as { readonly code: string }).code);
          }
        },
        { mailbox: { limit: 3 } },
      ),
    );
    for (let n = 0; n < 3; n++) ref.tell({ type: 'item', n });
    await world.settle();
    expect(errors).toEqual([]);
    ref.tell({ type: 'item', n: 3 });
    await world.settle();
    expect(world.system.deadLetters.counts).toEqual({ 'mailbox-full': 1 });
  });
});
