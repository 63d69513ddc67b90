import { describe, expect, test } from 'vitest';
import type { Elsewhere } from '../../src/actor/elsewhere.ts';
import type { AnyRef } from '../../src/actor/ref.ts';
import { actor, kit } from '../actor/kit.ts';

type Watching = { readonly type: 'watch' | 'unwatch'; readonly target: AnyRef };
const watcher = (heard: string[]) => ({
  behavior: () => ({
    receive(context: { watch(target: AnyRef): void; unwatch(target: AnyRef): void }, message: Watching) {
      context[message.type](message.target);
    },
    signal: (_: unknown, signal: { readonly signal: string; readonly reason?: string; readonly ref?: AnyRef }) =>
      void (signal.signal === 'terminated' && heard.push(`${signal.reason} ${signal.ref?.toJSON()}`)),
  }),
});

describe('L3: watch yields exactly one terminated', () => {
  test('with the reason, at once when the target is gone already', async () => {
    await using world = kit();
    const heard: string[] = [];
    const ref = world.system.spawn(watcher(heard));
    const gone = world.system.spawn(
      actor<never>(() => {}),
      'gone',
    );
    const failing = world.system.spawn(
      actor<{ readonly type: 'go' }>(() => {
        throw new Error('boom');
      }),
      'failing',
    );
    await world.settle();
    world.system.stopActor(gone);
    await world.settle();
    ref.tell({ type: 'watch', target: gone });
    ref.tell({ type: 'watch', target: world.system.unsafeRef('nexa://local.1/never#999') });
    ref.tell({ type: 'watch', target: world.system.unsafeRef('nexa:counter/alice') });
    await world.settle();
    expect(heard).toEqual(['stopped nexa://local.1/gone#3', 'unknown nexa://local.1/never#999', 'unknown nexa:counter/alice']);
    expect(failing.toJSON()).toContain('failing');
  });

  test('failed, when the strategy stopped it for its error', async () => {
    await using world = kit();
    const heard: string[] = [];
    const { oneForOne } = await import('../../src/actor/strategy.ts');
    const watching = world.system.spawn(watcher(heard));
    let child: AnyRef | undefined;
    const parent = world.system.spawn<{ readonly type: 'go' }>({
      strategy: oneForOne({ decide: () => 'stop' }),
      behavior(context) {
        const made = context.spawn(
          actor<{ readonly type: 'go' }>(() => {
            throw new Error('boom');
          }),
          'child',
        );
        child = made;
        return { receive: (_, message) => void made.tell(message) };
      },
    });
    await world.settle();
    watching.tell({ type: 'watch', target: child as AnyRef });
    parent.tell({ type: 'go' });
    await world.settle();
    expect(heard).toEqual(['failed nexa://local.1/$1/child#4'].map((text) => text.replace('$1', '$2')));
  });

  test('none after unwatch, and one more for a watch after that', async () => {
    await using world = kit();
    const heard: string[] = [];
    const ref = world.system.spawn(watcher(heard));
    const target = world.system.spawn(
      actor<never>(() => {}),
      'target',
    );
    ref.tell({ type: 'watch', target });
    ref.tell({ type: 'unwatch', target });
    await world.settle();
    world.system.stopActor(target);
    await world.settle();
    expect(heard).toEqual([]);
    ref.tell({ type: 'watch', target });
    await world.settle();
    expect(heard).toHaveLength(1);
  });

  test('one for a target elsewhere, however often it is said', async () => {
    await using world = kit();
    const calls: string[] = [];
    const elsewhere: Elsewhere = {
      send: () => true,
      giveUp: () => {},
      ready: () => Promise.resolve(),
      watch: (target, by) => void calls.push(`watch ${target.kind} ${by.kind}`),
      unwatch: (target) => void calls.push(`unwatch ${target.kind}`),
      terminated: (by, target, reason) => void calls.push(`terminated ${by.kind} ${target.kind} ${reason}`),
    };
    world.system.connect(elsewhere);
    const heard: string[] = [];
    const ref = world.system.spawn(watcher(heard));
    const target = world.system.unsafeRef<never>('nexa://other.3/x#7');
    ref.tell({ type: 'watch', target });
    ref.tell({ type: 'watch', target });
    await world.settle();
    world.system.terminated(ref.address, target.address, 'node-lost');
    world.system.terminated(ref.address, target.address, 'stopped');
    await world.settle();
    expect(calls).toEqual(['watch incarnation incarnation']);
    expect(heard).toEqual(['node-lost nexa://other.3/x#7']);

    const far = { kind: 'incarnation', node: 'other', nodeIncarnation: 3, path: 'x', uid: 7 } as const;
    expect(world.system.watchFromElsewhere(far, { ...ref.address, uid: 999 } as never)).toBe('unknown');
    expect(world.system.watchFromElsewhere(far, ref.address)).toBeUndefined();
    ref.tell({ type: 'watch', target: world.system.unsafeRef('nexa:counter/a') });
    await world.settle();
    world.system.stopActor(ref);
    await world.settle();
    expect(calls.slice(1)).toEqual(['watch agent incarnation', 'terminated incarnation incarnation stopped', 'unwatch agent']);
  });

  test('a watch outlives a restart of the watcher', async () => {
    await using world = kit();
    const heard: string[] = [];
    const target = world.system.spawn(
      actor<never>(() => {}),
      'target',
    );
    const ref = world.system.spawn<{ readonly type: 'watch' | 'crash' }>({
      behavior: () => ({
        receive(context, { type }) {
          if (type === 'crash') throw new Error('boom');
          context.watch(target);
        },
        signal: (_, signal) => void heard.push(signal.signal),
      }),
    });
    ref.tell({ type: 'watch' });
    ref.tell({ type: 'crash' });
    await world.advance(1_000);
    world.system.stopActor(target);
    await world.settle();
    expect(heard).toEqual(['started', 'restarting', 'started', 'terminated']);
  });
});
