import { expect, test } from 'vitest';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef, ReplyTo } from '../../src/actor/ref.ts';
import { actor, kit } from './kit.ts';

type Message =
  | Request<{ readonly type: 'wait'; readonly passOn?: ActorRef<{ readonly to: ReplyTo<number> }> }, number>
  | { readonly type: 'crash' };

const holder = () => {
  const kept: ReplyTo<number>[] = [];
  const props = actor<Message>((context, message) => {
    if (message.type === 'crash') throw new Error('crash');
    const to = context.replyTo(message);
    if (message.passOn === undefined) kept.push(to);
    else message.passOn.tell({ to });
  });
  return { kept, props };
};
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch(({ code, definite }: { readonly code: string; readonly definite: boolean }) => [code, definite]);

test('an ask that is to be answered later is answered at once when its actor crashes or stops', async () => {
  await using world = kit();
  const { props, kept } = holder();
  const ref = world.system.spawn(props);
  const asked = code(ref.ask({ type: 'wait' }, { timeoutMs: 60_000 }));
  await world.settle();
  ref.tell({ type: 'crash' });
  await world.settle();
  expect(await asked).toEqual(['crashed', false]);
  expect(world.clock.monotonicMs()).toBe(0);
  kept[0]?.tell(1);
  await world.settle();
  expect(world.deadLetters()).toContain('late-reply');
  await world.advance(1_000);
  const again = code(ref.ask({ type: 'wait' }, { timeoutMs: 60_000 }));
  await world.settle();
  world.system.stopActor(ref);
  await world.settle();
  expect(await again).toEqual(['crashed', false]);
});

test('a way back that was passed on, or was answered, is not answered again', async () => {
  await using world = kit();
  const { props, kept } = holder();
  const ref = world.system.spawn(props);
  const answerers: ReplyTo<number>[] = [];
  const passOn = world.system.spawn(actor<{ readonly to: ReplyTo<number> }>((_, { to }) => void answerers.push(to)));
  const passed = ref.ask({ type: 'wait', passOn }, { timeoutMs: 60_000 });
  const answered = ref.ask({ type: 'wait' }, { timeoutMs: 60_000 });
  await world.settle();
  kept[0]?.tell(1);
  world.system.stopActor(ref);
  await world.settle();
  answerers[0]?.tell(2);
  expect([await answered, await passed]).toEqual([1, 2]);
  expect(world.deadLetters()).toEqual([]);
});
