import { describe, expect, test } from 'vitest';
import type { AnyRef } from '../../src/actor/ref.ts';
import { NexaError } from '../../src/errors.ts';
import { actor, kit, outcome } from '../actor/kit.ts';

const tree = (trace: string[], name: string, children: string[] = []) => ({
  behavior(context: Parameters<Parameters<typeof actor>[0]>[0]) {
    for (const child of children) context.spawn(tree(trace, child), child);
    return {
      receive() {},
      signal(_: unknown, { signal }: { readonly signal: string }) {
        if (signal === 'stopping') trace.push(name);
      },
    };
  },
});

describe('L1: stop', () => {
  test('finishes the current message, stops the children first, in reverse order, and makes dead letters of the rest', async () => {
    await using world = kit();
    const trace: string[] = [];
    const parent = world.system.spawn<{ readonly type: 'work' }>({
      behavior(context) {
        for (const name of ['a', 'b', 'c']) context.spawn(tree(trace, name), name);
        return {
          async receive() {
            await new Promise<void>((resolve) => void world.clock.after(100, resolve));
            trace.push('finished');
          },
          signal: (_, { signal }) => void (signal === 'stopping' && trace.push('parent')),
        };
      },
    });
    await world.settle();
    parent.tell({ type: 'work' });
    parent.tell({ type: 'work' });
    await world.settle();
    world.system.stopActor(parent);
    await world.settle();
    expect(trace).toEqual([]);
    await world.advance(100);
    expect(trace).toEqual(['finished', 'c', 'b', 'a', 'parent']);
    expect(world.deadLetters()).toEqual(['stopped']);
    expect(world.system.actors).toBe(0);
  });

  test('tells every watcher exactly once', async () => {
    await using world = kit();
    const heard: string[] = [];
    const target = world.system.spawn(
      actor<never>(() => {}),
      'target',
    );
    const watcher = (name: string) => ({
      behavior(context: { watch(target: AnyRef): void }) {
        context.watch(target);
        context.watch(target);
        return {
          receive() {},
          signal: (_: unknown, signal: { readonly signal: string; readonly reason?: string }) =>
            void (signal.signal === 'terminated' && heard.push(`${name} ${signal.reason}`)),
        };
      },
    });
    world.system.spawn(watcher('x'));
    world.system.spawn(watcher('y'));
    await world.settle();
    world.system.stopActor(target);
    world.system.stopActor(target);
    await world.settle();
    expect(heard.sort()).toEqual(['x stopped', 'y stopped']);
  });

  test('of itself by returning `stopped` answers the message first', async () => {
    await using world = kit();
    const { stopped } = await import('../../src/actor/behavior.ts');
    const ref = world.system.spawn(actor<{ readonly type: 'bye' }>(() => stopped));
    expect(await outcome(world.system.unsafeRef<never>(ref.toJSON()).ask({ type: 'bye' } as never, { timeoutMs: 10 }))).toBeUndefined();
    await world.settle();
    expect(world.system.actors).toBe(0);
  });

  test('waits for a handler that never settles no longer than five seconds, and refuses what it does later', async () => {
    await using world = kit();
    let late: () => void = () => {};
    const misuse: string[] = [];
    const ref = world.system.spawn(
      actor<{ readonly type: 'hang' }>(async (context) => {
        await new Promise<void>((resolve) => {
          late = resolve;
        });
        for (const act of [() => context.spawn(actor<never>(() => {})), () => context.after(1, { type: 'hang' }), () => context.stash()]) {
          try {
            act();
          } catch (error) {
            misuse.push((error as NexaError).code);
          }
        }
        context.self.tell({ type: 'hang' });
        throw new Error('too late to matter');
      }),
    );
    const asked = outcome(world.system.unsafeRef<never>(ref.toJSON()).ask({ type: 'hang' } as never, { timeoutMs: 60_000 }));
    await world.settle();
    world.system.stopActor(ref);
    await world.advance(4_999);
    expect(world.system.actors).toBe(1);
    await world.advance(1);
    expect(world.system.actors).toBe(0);
    expect(await asked).toBe('crashed');
    late();
    await world.settle();
    expect(misuse).toEqual(['context-misused', 'context-misused', 'context-misused']);
    expect(world.deadLetters()).toEqual(['crashed', 'stopped']);
  });

  test('goes on when a stopping signal throws or hangs', async () => {
    await using world = kit();
    const heard: unknown[] = [];
    const make = (signal: () => unknown) =>
      world.system.spawn<never>({
        behavior: () => ({ receive() {}, signal: (_, given) => (given.signal === 'stopping' ? (signal() as undefined) : undefined) }),
      });
    const targets = [
      make(() => {
        throw new Error('no');
      }),
      make(() => Promise.reject(new Error('no'))),
      make(() => new Promise(() => {})),
    ];
    for (const target of targets) {
      world.system.spawn<{ readonly type: 'ended' }>({
        behavior(context) {
          context.watch(target, { type: 'ended' });
          return { receive: (_, message) => void heard.push(message.type) };
        },
      });
    }
    await world.settle();
    for (const target of targets) world.system.stopActor(target);
    await world.advance(5_000);
    expect(heard).toEqual(['ended', 'ended', 'ended']);
  });

  test('of a whole system ends what does not stop in time, and says so', async () => {
    const world = kit();
    world.system.spawn({
      behavior: () => ({
        receive() {},
        signal: (_: unknown, { signal }: { readonly signal: string }) =>
          signal === 'stopping' ? new Promise<undefined>(() => {}) : undefined,
      }),
    });
    await world.settle();
    const stopping = world.system.stop({ timeoutMs: 1_000 });
    const ended = expect(stopping).rejects.toBeInstanceOf(NexaError);
    await world.advance(1_000);
    await ended;
    expect(world.system.actors).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});
