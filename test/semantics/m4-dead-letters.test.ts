import { expect, test } from 'vitest';
import { liveRef } from '../../src/actor/live-ref.ts';
import { actor, kit } from '../actor/kit.ts';

type Note = { readonly type: 'note'; readonly n: number };

test('M4: a message that nobody took is counted, announced with its reason, and readable', async () => {
  await using world = kit();
  const ref = world.system.spawn(
    actor<Note>(() => {}),
    'short-lived',
  );
  await world.settle();
  world.system.stopActor(ref);
  await world.settle();
  ref.tell({ type: 'note', n: 1 });
  world.system.unsafeRef<Note>('nexa:counter/alice').tell({ type: 'note', n: 2 });
  expect(world.system.deadLetters.counts).toEqual({ stopped: 1, 'no-actor': 1 });
  expect(world.events.filter((event) => event.event === 'dead-letter').map((event) => event.reason)).toEqual(['stopped', 'no-actor']);
  expect(world.system.deadLetters.list().map((letter) => [letter.number, letter.envelope.message])).toEqual([
    [1, { type: 'note', n: 1 }],
    [2, { type: 'note', n: 2 }],
  ]);
});

test('M4: the last thousand are kept and can be delivered again', async () => {
  await using world = kit();
  const seen: number[] = [];
  const ref = world.system.spawn(actor<Note>((_, { n }) => void seen.push(n), { mailbox: { limit: 2 } }));
  await world.settle();
  for (let n = 0; n < 1_500; n++) ref.tell({ type: 'note', n });
  await world.settle();
  expect(seen).toEqual([0, 1]);
  expect(world.system.deadLetters.count).toBe(1_498);
  const kept = world.system.deadLetters.list();
  expect(kept).toHaveLength(1_000);
  expect(world.system.replay(1)).toBe(false);
  expect(world.system.replay(kept.at(-1)?.number ?? 0)).toBe(true);
  await world.settle();
  expect(seen).toEqual([0, 1, 1_499]);
});

test('M4: a dead letter says from whom and to whom, however its message was lost', async () => {
  await using world = kit();
  const target = world.system.spawn(
    actor<Note>(
      async (context, { n }) => {
        if (n === 1) context.stash();
        else await Promise.reject(new Error('boom'));
      },
      { mailbox: { limit: 3 } },
    ),
  );
  const sender = world.system.spawn(actor<Note>(() => void [1, 2, 3, 4, 5].map((n) => target.tell({ type: 'note', n }))));
  await world.settle();
  sender.tell({ type: 'note', n: 0 });
  await world.settle();
  world.system.stopActor(target);
  await world.advance(20);
  const way = { to: liveRef(target).address, from: liveRef(sender).address };
  expect(world.system.deadLetters.list().map(({ reason, envelope }) => [reason, { ...envelope }])).toMatchObject([
    ['mailbox-full', { ...way, message: { n: 4 } }],
    ['mailbox-full', { ...way, message: { n: 5 } }],
    ['crashed', { ...way, message: { n: 2 } }],
    ['stopped', { ...way, message: { n: 1 } }],
    ['stopped', { ...way, message: { n: 3 } }],
  ]);
});

test('M4: large dead letters are bounded by their bytes', async () => {
  await using world = kit();
  const gone = world.system.unsafeRef<{ readonly type: 'big'; readonly text: string }>('nexa://local.1/gone#9');
  for (let n = 0; n < 100; n++) gone.tell({ type: 'big', text: 'x'.repeat(50_000) });
  expect(world.system.deadLetters.list().length).toBeLessThan(12);
  expect(world.system.deadLetters.count).toBe(100);
});

test('M4: a listener whose own mailbox is full does not announce its dead letters to itself for ever', async () => {
  await using world = kit();
  world.system.spawn({
    mailbox: { limit: 1 },
    behavior(context) {
      context.subscribe('dead-letter', () => ({ type: 'seen' }));
      return { receive() {} };
    },
  });
  await world.settle();
  const gone = world.system.unsafeRef<Note>('nexa://local.1/gone#9');
  for (let n = 0; n < 10; n++) gone.tell({ type: 'note', n });
  await world.settle();
  expect(world.system.deadLetters.counts).toEqual({ 'no-actor': 10, 'mailbox-full': 9 });
});
