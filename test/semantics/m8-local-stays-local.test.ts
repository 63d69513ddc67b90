import { expect, test } from 'vitest';
import type { Elsewhere } from '../../src/actor/elsewhere.ts';
import type { Request } from '../../src/actor/message.ts';
import type { AnyRef } from '../../src/actor/ref.ts';
import { actor, kit } from '../actor/kit.ts';

test('M8: tell, ask, reply, watch and ready between actors of one process never take the way elsewhere', async () => {
  await using world = kit();
  const calls: string[] = [];
  world.system.connect(
    new Proxy({} as Elsewhere, {
      get:
        (_, name) =>
        (...args: unknown[]) =>
          void calls.push(`${String(name)} ${args.length}`),
    }),
  );
  type Message = Request<{ readonly type: 'get' }, number> | { readonly type: 'watch'; readonly target: AnyRef };
  const make = () =>
    world.system.spawn(
      actor<Message>((context, message) => {
        if (message.type === 'watch') context.watch(message.target);
        else context.reply(message, 1);
      }),
    );
  const [a, b] = [make(), make()];
  expect(await a.ask({ type: 'get' }, { timeoutMs: 100 })).toBe(1);
  a.tell({ type: 'watch', target: b });
  await a.ready({ timeoutMs: 100 });
  const again = world.system.unsafeRef<Message>(b.toJSON());
  expect(await again.ask({ type: 'get' }, { timeoutMs: 100 })).toBe(1);
  world.system.stopActor(b);
  await world.settle();
  again.tell({ type: 'get' });
  expect(calls).toEqual([]);
  world.system.unsafeRef<Message>('nexa://other.1/x#1').tell({ type: 'get' });
  expect(calls).toEqual(['send 1']);
});
