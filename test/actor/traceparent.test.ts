import { expect, test } from 'vitest';
import { type ActorRef, actorSystem, type Request, receive } from '../../index.ts';

type Hop = { readonly type: 'told' } | Request<{ readonly type: 'ask' }, string>;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('the trace of an ask is carried by everything that is sent while it is handled', async () => {
  await using system = actorSystem();
  const seen: (string | undefined)[] = [];
  const leaf = system.spawn<Hop>({
    behavior: () =>
      receive((context, message) => {
        seen.push((context as unknown as { readonly envelope: { readonly traceparent?: string } }).envelope.traceparent);
        if (message.type === 'ask') context.reply(message, 'done');
      }),
  });
  const middle: ActorRef<Hop> = system.spawn<Hop>({
    behavior: () =>
      receive(async (context, message) => {
        leaf.tell({ type: 'told' });
        if (message.type === 'ask') context.reply(message, await leaf.ask({ type: 'ask' }, { timeoutMs: 1_000 }));
      }),
  });
  await middle.ask({ type: 'ask' }, { timeoutMs: 1_000, traceparent: TRACE });
  middle.tell({ type: 'told' });
  await leaf.ask({ type: 'ask' }, { timeoutMs: 1_000 });
  expect(seen).toEqual([TRACE, TRACE, undefined, undefined]);
});
