import { describe, expect, test } from 'vitest';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef, ReplyTo } from '../../src/actor/ref.ts';
import { actorSystem } from '../../src/actor-system.ts';
import { NexaError, Refused } from '../../src/errors.ts';
import { systemClock } from '../../src/system-clock.ts';
import { actor, kit, outcome } from '../actor/kit.ts';

type Get = Request<{ readonly type: 'get' }, number>;
const TIME = { timeoutMs: 1_000 };

describe('M3: an ask has exactly one outcome within its deadline', () => {
  test('the reply', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Get>((context, message) => context.reply(message, 42)));
    expect(await ref.ask({ type: 'get' }, TIME)).toBe(42);
  });

  test('undefined, when the handler ends without an answer', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Request<{ readonly type: 'flush' }, void>>(() => {}));
    expect(await ref.ask({ type: 'flush' }, TIME)).toBeUndefined();
  });

  test('a refusal', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Get>((context, message) => context.refuse(message, new Refused('too-poor', { cents: 3 }))));
    await expect(ref.ask({ type: 'get' }, TIME)).rejects.toMatchObject({
      code: 'refused',
      refusal: 'too-poor',
      details: { cents: 3 },
      definite: true,
    });
  });

  test('no-such-actor at once, definite, when there is nobody', async () => {
    await using world = kit();
    const ref = world.system.unsafeRef<Get>('nexa://local.1/nobody#77');
    await expect(ref.ask({ type: 'get' }, TIME)).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
    expect(world.deadLetters()).toEqual(['no-actor']);
  });

  test('ask-timeout, definite, when something held the loop beyond the deadline: what begins before any timer fires is not begun', async () => {
    let heldMs = 0;
    await using system = actorSystem({ clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + heldMs } });
    let begun = 0;
    const holder = system.spawn(
      actor<{ readonly type: 'hold' }>(() => {
        heldMs += 5_000;
      }),
    );
    const ref = system.spawn(
      actor<Get>((context, message) => {
        begun++;
        context.reply(message, 42);
      }),
    );
    holder.tell({ type: 'hold' });
    await expect(ref.ask({ type: 'get' }, TIME)).rejects.toMatchObject({ code: 'ask-timeout', definite: true });
    expect(begun).toBe(0);
  });

  test('ask-timeout at the deadline, and the late reply is a dead letter', async () => {
    await using world = kit();
    let later: ReplyTo<number> | undefined;
    const ref = world.system.spawn(
      actor<Get>((context, message) => {
        later = context.replyTo(message);
      }),
    );
    const asked = outcome(ref.ask({ type: 'get' }, { timeoutMs: 500 }));
    await world.advance(499);
    expect(world.system.asks.size).toBe(1);
    await world.advance(2);
    expect(await asked).toBe('ask-timeout');
    later?.tell(1);
    expect(world.deadLetters()).toEqual(['late-reply']);
  });

  test('the first of two replies; the second is a dead letter', async () => {
    await using world = kit();
    const ref = world.system.spawn(
      actor<Get>((context, message) => {
        context.reply(message, 1);
        context.reply(message, 2);
      }),
    );
    expect(await ref.ask({ type: 'get' }, TIME)).toBe(1);
    expect(world.deadLetters()).toEqual(['late-reply']);
  });

  test('crashed, indefinite and at once, when the handler throws', async () => {
    await using world = kit();
    const ref = world.system.spawn(
      actor<Get>(() => {
        throw new Error('boom');
      }),
    );
    await expect(ref.ask({ type: 'get' }, TIME)).rejects.toMatchObject({ code: 'crashed', definite: false });
  });

  test('crashed also when it rejects later, or had put the answer off', async () => {
    await using world = kit();
    const ref = world.system.spawn(
      actor<Get>(async (context, message) => {
        context.replyTo(message);
        await Promise.resolve();
        throw new Error('boom');
      }),
    );
    await expect(ref.ask({ type: 'get' }, TIME)).rejects.toMatchObject({ code: 'crashed' });
  });

  test('mailbox-full, definite, when there is no room', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Get>((context, message) => context.reply(message, 1), { mailbox: { limit: 1 } }));
    const both = [outcome(ref.ask({ type: 'get' }, TIME)), outcome(ref.ask({ type: 'get' }, TIME))];
    expect(await Promise.all(both)).toEqual([1, 'mailbox-full']);
  });

  test('no-such-actor when the target stops before it begins', async () => {
    await using world = kit();
    const ref = world.system.spawn(actor<Get>(() => {}));
    await world.settle();
    const asked = ref.ask({ type: 'get' }, TIME);
    world.system.stopActor(ref);
    await expect(asked).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
    expect(world.deadLetters()).toEqual(['stopped']);
  });

  test('cancelled by its signal, and the target skips a message that it has not begun', async () => {
    await using world = kit();
    let handled = 0;
    const busy = world.system.spawn(
      actor<Get | { readonly type: 'wait' }>(async (context, message) => {
        if (message.type === 'wait') await new Promise<void>((resolve) => void world.clock.after(100, resolve));
        else {
          handled++;
          context.reply(message, 1);
        }
      }),
    );
    busy.tell({ type: 'wait' });
    await world.settle();
    const gone = new AbortController();
    const asked = outcome(busy.ask({ type: 'get' }, { timeoutMs: 1_000, signal: gone.signal }));
    gone.abort();
    expect(await asked).toBe('cancelled');
    await world.advance(200);
    expect(handled).toBe(0);
    expect(world.deadLetters()).toEqual(['expired']);
  });

  test('ask-timeout, and the message is not executed, when the deadline passed in the mailbox', async () => {
    await using world = kit();
    let handled = 0;
    const busy = world.system.spawn(
      actor<Get | { readonly type: 'wait' }>(async (_, message) => {
        if (message.type === 'wait') await new Promise<void>((resolve) => void world.clock.after(300, resolve));
        else handled++;
      }),
    );
    busy.tell({ type: 'wait' });
    const asked = outcome(busy.ask({ type: 'get' }, { timeoutMs: 200 }));
    await world.advance(400);
    expect(await asked).toBe('ask-timeout');
    expect(handled).toBe(0);
    expect(world.deadLetters()).toEqual(['expired']);
  });

  test('a nested ask never outlives the outer deadline', async () => {
    await using world = kit();
    const silent = world.system.spawn(actor<Get>((context, message) => void context.replyTo(message)));
    let inner: unknown;
    let innerEndedAtMs = 0;
    const outer = world.system.spawn(
      actor<Get>(async (context, message) => {
        inner = await outcome(silent.ask({ type: 'get' }, { timeoutMs: 60_000 }));
        innerEndedAtMs = world.clock.monotonicMs();
        context.reply(message, 0);
      }),
    );
    const asked = outcome(outer.ask({ type: 'get' }, { timeoutMs: 100 }));
    await world.advance(1_000);
    expect(await asked).toBe('ask-timeout');
    expect(inner).toBe('ask-timeout');
    expect(innerEndedAtMs).toBe(100);
  });

  test('a cycle of asks is refused at once instead of waiting for itself', async () => {
    await using world = kit();
    type Ping = Request<{ readonly type: 'ping'; readonly other?: ActorRef<Ping> }, string>;
    const node = () =>
      actor<Ping>(async (context, message) => {
        if (message.other === undefined) return context.reply(message, 'end');
        context.reply(message, String(await outcome(message.other.ask({ type: 'ping', other: context.self }, TIME))));
      });
    const a = world.system.spawn(node());
    const b = world.system.spawn(node());
    expect(await a.ask({ type: 'ping', other: b }, TIME)).toBe('ask-cycle');
    expect(await a.ask({ type: 'ping' }, TIME)).toBe('end');
    expect(world.clock.monotonicMs()).toBe(0);
  });

  test('an actor that asks itself and waits is such a cycle', async () => {
    await using world = kit();
    const ref = world.system.spawn(
      actor<Get>(async (context, message) => context.reply(message, (await outcome(context.self.ask({ type: 'get' }, TIME))) as number)),
    );
    expect(await ref.ask({ type: 'get' }, TIME)).toBe('ask-cycle');
  });

  test('more asks than the table holds are refused as overloaded', async () => {
    await using world = kit({ askLimit: 2 });
    const silent = world.system.spawn(actor<Get>((context, message) => void context.replyTo(message)));
    const asks = Array.from({ length: 3 }, () => outcome(silent.ask({ type: 'get' }, TIME)));
    await world.advance(2_000);
    expect(await Promise.all(asks)).toEqual(['ask-timeout', 'ask-timeout', 'overloaded']);
  });

  test('what stops the system settles what waits', async () => {
    const world = kit();
    const silent = world.system.spawn(actor<Get>((context, message) => void context.replyTo(message)));
    const asked = outcome(silent.ask({ type: 'get' }, TIME));
    await world.settle();
    await world[Symbol.asyncDispose]();
    expect(await asked).toBe('crashed');
    expect(await outcome(silent.ask({ type: 'get' }, TIME))).toBe('unavailable');
  });

  test.each([
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
    { timeoutMs: 1, requestId: '' },
    { timeoutMs: 1, requestId: 'x'.repeat(65) },
    undefined,
  ])('invalid-message for options like %o', async (options) => {
    await using world = kit();
    const ref = world.system.spawn(actor<Get>(() => {}));
    expect(await outcome(ref.ask({ type: 'get' }, options as typeof TIME))).toBe('invalid-message');
  });

  test('an error of the way elsewhere, and nothing is left waiting', async () => {
    await using world = kit();
    world.system.connect({
      send() {
        throw new NexaError('payload-too-large', 'too large');
      },
      giveUp: () => {},
      ready: () => Promise.resolve(),
      watch() {},
      unwatch() {},
      terminated() {},
    });
    const far = world.system.unsafeRef<Get>('nexa:counter/alice');
    expect(await outcome(far.ask({ type: 'get' }, TIME))).toBe('payload-too-large');
    expect(() => far.tell({ type: 'get' })).toThrow('too large');
    expect(world.system.asks.size).toBe(0);
  });
});
