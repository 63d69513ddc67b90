import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/actor/context.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef, AnyRef, Cancel, ReplyTo } from '../../src/actor/ref.ts';
import type { Outcome } from '../../src/actor/signal.ts';
import { NexaError } from '../../src/errors.ts';
import { actor, kit, outcome } from './kit.ts';

type Tick = { readonly type: 'tick' | 'go' | 'crash' | 'stop-ticking' };
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return (error as NexaError).code;
  }
};

describe('what acts in a context', () => {
  test('is refused outside the turns of its own incarnation', async () => {
    await using world = kit();
    const contexts: Context<Tick>[] = [];
    const ref = world.system.spawn<Tick>({
      behavior(context) {
        contexts.push(context);
        return {
          receive(_, { type }) {
            if (type === 'crash') throw new Error('boom');
            if (type === 'go') misuse.push(codeOf(() => contexts[0]?.after(1, { type: 'tick' })));
          },
        };
      },
    });
    const misuse: string[] = [];
    await world.settle();
    const [context] = contexts as [Context<Tick>];
    for (const act of [
      () => context.after(1, { type: 'tick' }),
      () => context.every(1, { type: 'tick' }),
      () => context.spawn(actor<never>(() => {})),
      () => context.stop(ref),
      () => context.watch(ref),
      () => context.unwatch(ref),
      () => context.stash(),
      () => context.unstashAll(),
      () =>
        context.pipe(
          async () => 1,
          () => ({ type: 'tick' }),
        ),
      () => context.subscribe('restarted', () => ({ type: 'tick' })),
      () => context.reply({ type: 'tick' }, undefined as never),
      () => context.replyTo({ type: 'tick' }),
    ]) {
      expect(codeOf(act)).toBe('context-misused');
    }
    expect(context.self.toJSON()).toBe(ref.toJSON());
    expect(context.signal.aborted).toBe(false);
    expect(context.children.size).toBe(0);
    ref.tell({ type: 'crash' });
    await world.advance(100);
    expect(context.signal.aborted).toBe(true);
    ref.tell({ type: 'go' });
    await world.settle();
    expect(misuse).toEqual(['context-misused']);
    expect(contexts).toHaveLength(2);
  });

  test('is allowed across the awaits of an async handler', async () => {
    await using world = kit();
    let children: readonly string[] = [];
    const ref = world.system.spawn(
      actor<Tick>(async (context) => {
        await Promise.resolve();
        context.spawn(
          actor<never>(() => {}),
          'late',
        );
        children = [...context.children.keys()];
      }),
    );
    ref.tell({ type: 'go' });
    await world.settle();
    expect(children).toEqual(['late']);
  });

  test('answers only the message that is being handled', async () => {
    await using world = kit();
    type Get = Request<{ readonly type: 'get' }, number>;
    const kept: Get[] = [];
    const codes: string[] = [];
    const ref = world.system.spawn(
      actor<Get>((context, message) => {
        const [before] = kept;
        kept.push(message);
        if (before !== undefined) codes.push(codeOf(() => context.reply(before, 1)));
        context.reply(message, 2);
      }),
    );
    expect(await ref.ask({ type: 'get' }, { timeoutMs: 10 })).toBe(2);
    expect(await ref.ask({ type: 'get' }, { timeoutMs: 10 })).toBe(2);
    expect(codes).toEqual(['context-misused']);
    ref.tell({ type: 'get' });
    await world.settle();
    expect(world.deadLetters()).toEqual([]);
  });

  test('puts an answer off, or hands it to somebody else', async () => {
    await using world = kit();
    type Get = Request<{ readonly type: 'get' }, number>;
    type Answer = { readonly type: 'answer'; readonly to: ReplyTo<number> };
    const worker = world.system.spawn(actor<Answer>((_, { to }) => void to.tell(5)));
    const ref = world.system.spawn(actor<Get>((context, message) => void worker.tell({ type: 'answer', to: context.replyTo(message) })));
    expect(await ref.ask({ type: 'get' }, { timeoutMs: 10 })).toBe(5);
    ref.tell({ type: 'get' });
    await world.settle();
    expect(world.deadLetters()).toEqual([]);
  });

  test('stops only itself and its own children', async () => {
    await using world = kit();
    const codes: string[] = [];
    const other = world.system.spawn(
      actor<never>(() => {}),
      'other',
    );
    const ref = world.system.spawn(
      actor<Tick>((context) => {
        codes.push(codeOf(() => context.stop(other)));
        context.stop(
          context.spawn(
            actor<never>(() => {}),
            'child',
          ),
        );
        context.stop(context.self);
      }),
    );
    ref.tell({ type: 'go' });
    await world.settle();
    expect(codes).toEqual(['context-misused']);
    expect(world.system.snapshot().children.map(({ name }) => name)).toEqual(['other']);
  });

  test('spawns no second child of a name, and none of a bad one', async () => {
    await using world = kit();
    const codes: string[] = [];
    const ref = world.system.spawn(
      actor<Tick>((context) => {
        context.spawn(
          actor<never>(() => {}),
          'a',
        );
        for (const name of ['a', '', 'a/b', 'ä', '$x', 'a b', '?', 'x'.repeat(256)])
          codes.push(
            codeOf(() =>
              context.spawn(
                actor<never>(() => {}),
                name,
              ),
            ),
          );
        codes.push(codeOf(() => context.spawn({} as never)));
        codes.push(codeOf(() => context.spawn(actor<never>(() => {}, { mailbox: { limit: 0 } }))));
      }),
    );
    ref.tell({ type: 'go' });
    await world.settle();
    expect(codes).toEqual([
      'conflict',
      'bad-id',
      'bad-id',
      'bad-id',
      'bad-id',
      'bad-id',
      'bad-id',
      'bad-id',
      'invalid-definition',
      'invalid-definition',
    ]);
  });
});

describe('timers', () => {
  test('fire once or again and again, a key replaces, and cancelling stops even what is queued', async () => {
    await using world = kit();
    const seen: string[] = [];
    let cancel: Cancel = () => {};
    const ref = world.system.spawn<{ readonly type: string }>({
      behavior(context) {
        context.after(10, { type: 'replaced' }, 'key');
        context.after(20, { type: 'once' }, 'key');
        cancel = context.every(15, { type: 'beat' });
        const queued = context.after(50, { type: 'never' });
        context.after(50, { type: 'later' });
        return {
          receive(_, { type }) {
            seen.push(`${type} ${world.clock.monotonicMs()}`);
            if (type === 'beat' && world.clock.monotonicMs() === 45) queued();
          },
        };
      },
    });
    await world.advance(50);
    cancel();
    await world.advance(1_000);
    expect(seen).toEqual(['beat 15', 'once 20', 'beat 30', 'beat 45', 'later 50']);
    expect(world.clock.pending).toBe(0);
    expect(ref.toJSON()).toContain('local');
  });

  test('do not pile up behind a slow handler, and keep their beat', async () => {
    await using world = kit();
    const seen: number[] = [];
    world.system.spawn<Tick>({
      behavior(context) {
        context.every(10, { type: 'tick' });
        return {
          async receive() {
            seen.push(world.clock.monotonicMs());
            if (seen.length === 1) await new Promise<void>((resolve) => void world.clock.after(55, resolve));
          },
        };
      },
    });
    await world.advance(100);
    expect(seen).toEqual([10, 65, 70, 80, 90, 100]);
  });

  test('go on after a tick was lost to a full mailbox', async () => {
    await using world = kit();
    let ticks = 0;
    const ref = world.system.spawn<Tick>({
      mailbox: { limit: 1 },
      behavior(context) {
        context.every(10, { type: 'tick' });
        return {
          receive: async (_, { type }) =>
            type === 'go' ? new Promise<undefined>((resolve) => void world.clock.after(25, () => resolve(undefined))) : void ticks++,
        };
      },
    });
    await world.settle();
    ref.tell({ type: 'go' });
    await world.settle();
    ref.tell({ type: 'stop-ticking' });
    await world.advance(60);
    expect(world.system.deadLetters.counts).toEqual({ 'mailbox-full': 2 });
    expect(ticks).toBe(5);
  });

  test('die with their incarnation, and refuse delays that are none', async () => {
    await using world = kit();
    const seen: string[] = [];
    let starts = 0;
    const ref = world.system.spawn<{ readonly type: string }>({
      behavior(context) {
        if (++starts === 1) {
          context.every(10, { type: 'old' });
          for (const delay of [-1, Number.NaN, 2 ** 54])
            expect(codeOf(() => context.after(delay, { type: 'x' }))).toBe('invalid-definition');
          expect(codeOf(() => context.every(0, { type: 'x' }))).toBe('invalid-definition');
          context.after(2 ** 53, { type: 'in a while' });
        }
        return {
          receive(_, { type }) {
            seen.push(type);
            if (type === 'crash') throw new Error('boom');
          },
        };
      },
    });
    await world.advance(10);
    ref.tell({ type: 'crash' });
    await world.advance(1_000);
    expect(seen).toEqual(['old', 'crash']);
  });
});

describe('pipe', () => {
  type Piped = { readonly type: 'go' } | { readonly type: 'done'; readonly outcome: Outcome<number> };
  const piping = (work: (signal: AbortSignal) => Promise<number>, seen: Outcome<number>[]) =>
    actor<Piped>((context, message) => {
      if (message.type === 'go') context.pipe(work, (outcome) => ({ type: 'done', outcome }));
      else seen.push(message.outcome);
    });

  test('brings the result or the error back as a message, and frees the actor meanwhile', async () => {
    await using world = kit();
    const seen: Outcome<number>[] = [];
    for (const work of [
      async () => 7,
      async () => {
        throw new NexaError('denied', 'no');
      },
      () => {
        throw new Error('at once');
      },
    ]) {
      world.system.spawn(piping(work, seen)).tell({ type: 'go' });
      await world.settle();
    }
    expect(seen).toEqual([
      { ok: true, value: 7 },
      { ok: false, error: expect.objectContaining({ code: 'denied' }) },
      { ok: false, error: expect.objectContaining({ code: 'crashed', message: 'at once' }) },
    ]);
  });

  test('is aborted at a restart and never reaches the next incarnation', async () => {
    await using world = kit();
    const seen: unknown[] = [];
    let finish: (value: number) => void = () => {};
    let aborted = false;
    const ref = world.system.spawn(
      actor<Piped | { readonly type: 'crash' }>((context, message) => {
        if (message.type === 'crash') throw new Error('boom');
        if (message.type === 'done') return void seen.push(message);
        context.pipe(
          (signal) => {
            signal.addEventListener('abort', () => {
              aborted = true;
            });
            return new Promise<number>((resolve) => {
              finish = resolve;
            });
          },
          (outcome) => ({ type: 'done', outcome }),
        );
      }),
    );
    ref.tell({ type: 'go' });
    await world.settle();
    ref.tell({ type: 'crash' });
    await world.advance(100);
    finish(1);
    await world.settle();
    expect(aborted).toBe(true);
    expect(seen).toEqual([]);
  });

  test('comes through a full mailbox, and is bounded by itself', async () => {
    await using world = kit();
    const seen: Outcome<number>[] = [];
    let codes: string[] = [];
    const ref = world.system.spawn(
      actor<Piped>(
        async (context, message) => {
          if (message.type === 'done') return void seen.push(message.outcome);
          codes = Array.from({ length: 1_001 }, () =>
            codeOf(() =>
              context.pipe(
                async () => 1,
                (outcome) => ({ type: 'done', outcome }),
              ),
            ),
          );
          await new Promise<void>((resolve) => void world.clock.after(10, resolve));
        },
        { mailbox: { limit: 1 } },
      ),
    );
    ref.tell({ type: 'go' });
    await world.advance(10);
    expect(seen).toHaveLength(1_000);
    expect(codes.filter((code) => code !== 'nothing')).toEqual(['overloaded']);
  });

  test('crashes the actor when its result cannot be made a message', async () => {
    await using world = kit();
    const ref = world.system.spawn(
      actor<Tick>((context) =>
        context.pipe(
          async () => 1,
          () => {
            throw new Error('no message');
          },
        ),
      ),
    );
    ref.tell({ type: 'go' });
    await world.advance(100);
    expect(world.events.filter((event) => event.event === 'restarted')).toHaveLength(1);
  });
});

describe('the rest of a context', () => {
  test('the stash gives messages back in order, before those that wait, with their way back', async () => {
    await using world = kit();
    type Message = Request<{ readonly type: 'get'; readonly n: number }, number> | { readonly type: 'open' };
    const order: number[] = [];
    let isOpen = false;
    const ref = world.system.spawn(
      actor<Message>((context, message) => {
        if (message.type === 'open') {
          isOpen = true;
          context.unstashAll();
        } else if (isOpen) {
          order.push(message.n);
          context.reply(message, message.n);
        } else context.stash();
      }),
    );
    const asks = [1, 2].map((n) => ref.ask({ type: 'get', n }, { timeoutMs: 100 }));
    ref.tell({ type: 'open' });
    asks.push(ref.ask({ type: 'get', n: 3 }, { timeoutMs: 100 }));
    expect(await Promise.all(asks)).toEqual([1, 2, 3]);
    expect(order).toEqual([1, 2, 3]);
  });

  test('stashed messages survive a restart; the one that crashed does not', async () => {
    await using world = kit();
    const seen: number[] = [];
    let starts = 0;
    const ref = world.system.spawn<{ readonly type: 'n'; readonly n: number }>({
      behavior() {
        const first = ++starts === 1;
        return {
          receive(context, { n }) {
            if (!first) return void seen.push(n);
            context.stash();
            if (n === 3) throw new Error('boom');
          },
        };
      },
    });
    for (const n of [1, 2, 3, 4]) ref.tell({ type: 'n', n });
    await world.advance(100);
    expect(seen).toEqual([1, 2, 4]);
  });

  test('idle is signalled after a time without messages, and again', async () => {
    await using world = kit();
    const seen: number[] = [];
    const ref = world.system.spawn<Tick>({
      receiveTimeoutMs: 100,
      behavior: () => ({ receive() {}, signal: (_, { signal }) => void (signal === 'idle' && seen.push(world.clock.monotonicMs())) }),
    });
    await world.advance(60);
    ref.tell({ type: 'tick' });
    await world.advance(99);
    expect(seen).toEqual([]);
    await world.advance(1);
    expect(seen).toEqual([160]);
    await world.advance(200);
    expect(seen).toEqual([160, 260, 360]);
    world.system.stopActor(ref);
    await world.settle();
    expect(world.clock.pending).toBe(0);
  });

  test('a subscription ends with its incarnation, or when it is cancelled', async () => {
    await using world = kit();
    const seen: string[] = [];
    const watching = world.system.spawn<{ readonly type: string }>({
      behavior(context) {
        const cancel = context.subscribe('stopped', ({ address }) => ({ type: `stopped ${(address as { readonly path: string }).path}` }));
        return {
          receive(_, { type }) {
            seen.push(type);
            if (type === 'enough') cancel();
          },
        };
      },
    });
    await world.settle();
    const end = async (name: string) => {
      world.system.stopActor(
        world.system.spawn(
          actor<never>(() => {}),
          name,
        ),
      );
      await world.settle();
    };
    await end('a');
    watching.tell({ type: 'enough' });
    await world.settle();
    await end('b');
    expect(seen).toEqual(['stopped a', 'enough']);
  });

  test('refs in a message belong to whoever received it, and the sender keeps its own', async () => {
    await using world = kit();
    const from: unknown[] = [];
    world.system.connect({
      send: (envelope) => from.push(envelope.from) > 0,
      giveUp: () => {},
      ready: () => Promise.resolve(),
      watch() {},
      unwatch() {},
      terminated() {},
    });
    type Give = { readonly type: 'give'; readonly far: ActorRef<Tick>; readonly list?: readonly AnyRef[] };
    const receiver = world.system.spawn(
      actor<Give>(async (_, { far }) => {
        await Promise.resolve();
        far.tell({ type: 'tick' });
      }),
      'receiver',
    );
    const message: { given?: Give } = {};
    const sender = world.system.spawn(
      actor<Tick>(async (context) => {
        const far = context.agent({ type: 'counter', version: 1, commands: {} }, 'a') as unknown as ActorRef<Tick>;
        message.given = { type: 'give', far };
        receiver.tell(message.given);
        await Promise.resolve();
        far.tell({ type: 'tick' });
      }),
      'sender',
    );
    sender.tell({ type: 'go' });
    await world.settle();
    expect(from.map((address) => (address as { readonly path: string }).path).sort()).toEqual(['receiver', 'sender']);
    expect(message.given?.far).toMatchObject({ binding: { name: 'sender' } });
  });

  test('becoming is returning another behaviour; returning anything else is a crash', async () => {
    await using world = kit();
    const seen: string[] = [];
    const counting = (n: number) => ({
      receive(_: unknown, message: Tick) {
        seen.push(`${n} ${message.type}`);
        return message.type === 'go' ? counting(n + 1) : message.type === 'crash' ? (7 as never) : undefined;
      },
    });
    const ref = world.system.spawn<Tick>({ behavior: () => counting(0) });
    for (const type of ['go', 'tick', 'go', 'tick', 'crash'] as const) ref.tell({ type });
    await world.advance(1_000);
    ref.tell({ type: 'tick' });
    await world.settle();
    expect(seen).toEqual(['0 go', '1 tick', '1 go', '2 tick', '2 crash', '0 tick']);
    expect(await outcome(ref.ready({ timeoutMs: 1 }))).toBeUndefined();
  });
});
