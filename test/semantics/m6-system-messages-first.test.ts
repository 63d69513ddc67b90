import { expect, test } from 'vitest';
import type { AnyRef } from '../../src/actor/ref.ts';
import { actor, kit } from '../actor/kit.ts';

test('M6: a stop goes before the messages that wait, also in a full mailbox', async () => {
  await using world = kit();
  let handled = 0;
  const ref = world.system.spawn(actor<{ readonly type: 'item' }>(() => void handled++, { mailbox: { limit: 100 } }));
  await world.settle();
  for (let n = 0; n < 150; n++) ref.tell({ type: 'item' });
  world.system.stopActor(ref);
  await world.settle();
  expect(handled).toBe(0);
  expect(world.system.deadLetters.counts).toEqual({ 'mailbox-full': 50, stopped: 100 });
});

test('M6: the end of a watched actor is heard before the messages that wait, also in a full mailbox', async () => {
  await using world = kit();
  const trace: string[] = [];
  const target = world.system.spawn(actor<never>(() => {}));
  type Watching = { readonly type: 'watch'; readonly target: AnyRef } | { readonly type: 'item' };
  const watcher = world.system.spawn<Watching>({
    mailbox: { limit: 10 },
    behavior: () => ({
      receive(context, message) {
        if (message.type === 'watch') {
          context.watch(message.target);
          for (let n = 0; n < 20; n++) context.self.tell({ type: 'item' });
          world.system.stopActor(message.target);
          return new Promise<undefined>((resolve) => void world.clock.after(10, () => resolve(undefined)));
        }
        trace.push(message.type);
      },
      signal(_, signal) {
        trace.push(signal.signal);
      },
    }),
  });
  watcher.tell({ type: 'watch', target });
  await world.advance(10);
  expect(trace.slice(0, 3)).toEqual(['started', 'terminated', 'item']);
  expect(trace).toHaveLength(12);
});

test('M6: a busy system still stops an actor before it turns to the user messages of others', async () => {
  await using world = kit();
  const order: string[] = [];
  const noisy = Array.from({ length: 20 }, () => world.system.spawn(actor<{ readonly type: 'item' }>(() => void order.push('item'))));
  const target = world.system.spawn<never>({
    behavior: () => ({ receive() {}, signal: (_, { signal }) => void (signal === 'stopping' && order.push('stopping')) }),
  });
  await world.settle();
  for (const ref of noisy) ref.tell({ type: 'item' });
  world.system.stopActor(target);
  await world.settle();
  expect(order[0]).toBe('stopping');
});
