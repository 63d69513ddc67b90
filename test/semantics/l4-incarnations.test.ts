import { expect, test } from 'vitest';
import type { Request } from '../../src/actor/message.ts';
import { actor, kit, outcome } from '../actor/kit.ts';

type Get = Request<{ readonly type: 'get' }, string>;
const saying = (text: string) => actor<Get>((context, message) => context.reply(message, text));

test('L4: a successor of the same name is never reached through an old ref', async () => {
  await using world = kit();
  const old = world.system.spawn(saying('old'), 'name');
  expect(await old.ask({ type: 'get' }, { timeoutMs: 10 })).toBe('old');
  world.system.stopActor(old);
  await world.settle();
  const young = world.system.spawn(saying('young'), 'name');
  expect(young.toJSON()).not.toBe(old.toJSON());
  expect(await outcome(old.ask({ type: 'get' }, { timeoutMs: 10 }))).toBe('no-such-actor');
  expect(await outcome(world.system.unsafeRef<Get>(old.toJSON()).ask({ type: 'get' }, { timeoutMs: 10 }))).toBe('no-such-actor');
  expect(await world.system.unsafeRef<Get>(young.toJSON()).ask({ type: 'get' }, { timeoutMs: 10 })).toBe('young');
});

test('L4: a restart is the same actor to its refs, and keeps the messages that wait', async () => {
  await using world = kit();
  let starts = 0;
  const ref = world.system.spawn<Get | { readonly type: 'crash' }>({
    behavior: () => {
      const start = ++starts;
      return {
        receive(context, message) {
          if (message.type === 'crash') throw new Error('boom');
          context.reply(message, `start ${start}`);
        },
      };
    },
  });
  ref.tell({ type: 'crash' });
  const asked = ref.ask({ type: 'get' }, { timeoutMs: 1_000 });
  await world.advance(100);
  expect(await asked).toBe('start 2');
});

test('L4: uid 0 means whoever is at that path, for the well-known actors of a node', async () => {
  await using world = kit();
  world.system.spawn(saying('here'), 'known');
  const address = { kind: 'incarnation', node: 'local', nodeIncarnation: 1, path: 'known', uid: 0 } as const;
  expect(await world.system.unsafeRef<Get>(address).ask({ type: 'get' }, { timeoutMs: 10 })).toBe('here');
});
