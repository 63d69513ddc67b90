import { describe, expect, test } from 'vitest';
import type { Gate } from '../../src/actor/elsewhere.ts';
import type { Envelope } from '../../src/actor/envelope.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef, AnyRef } from '../../src/actor/ref.ts';
import { actor, type Kit, kit, outcome } from './kit.ts';

class TestGate implements Gate {
  readonly epoch = 7;
  isOpen = true;
  room = 100;
  held: (() => void)[] = [];
  open(): boolean {
    return this.isOpen;
  }
  hold(effect: () => void): boolean {
    if (this.held.length >= this.room) return false;
    this.held.push(effect);
    return true;
  }
  release(): void {
    this.isOpen = true;
    for (const effect of this.held.splice(0)) effect();
  }
}
type Command =
  | { readonly type: 'send'; readonly to: ActorRef<{ readonly type: 'note' }> }
  | { readonly type: 'send-later'; readonly to: ActorRef<{ readonly type: 'note' }>; readonly afterMs: number }
  | Request<{ readonly type: 'get' }, number>
  | Request<{ readonly type: 'get-later'; readonly afterMs: number }, number>;

function gated(world: Kit) {
  const gate = new TestGate();
  const turns: string[] = [];
  const cell = world.system.spawnCell<Command>(
    actor<Command>(async (context, message) => {
      turns.push(message.type);
      switch (message.type) {
        case 'send':
          message.to.tell({ type: 'note' });
          return;
        case 'send-later':
          await new Promise<void>((resolve) => void world.clock.after(message.afterMs, resolve));
          message.to.tell({ type: 'note' });
          return;
        case 'get':
          return context.reply(message, 1);
        case 'get-later':
          await new Promise<void>((resolve) => void world.clock.after(message.afterMs, resolve));
          return context.reply(message, 2);
      }
    }),
    'gated',
    { gate },
  );
  const ref = world.system.refOf(cell.address) as unknown as ActorRef<Command>;
  const notes: unknown[] = [];
  const sink = world.system.spawn(actor<{ readonly type: 'note' }>((_, message) => void notes.push(message)));
  return { gate, turns, ref, cell, notes, sink };
}

describe('a gate', () => {
  test('that is closed lets no turn begin, and resume takes up what waited', async () => {
    await using world = kit();
    const { gate, turns, ref } = gated(world);
    await world.settle();
    gate.isOpen = false;
    const asked = outcome(ref.ask({ type: 'get' }, { timeoutMs: 1_000 }));
    await world.settle();
    expect(turns).toEqual([]);
    gate.release();
    world.system.resume('gated');
    expect(await asked).toBe(1);
  });

  test('that is closed before the start lets the actor not even start', async () => {
    await using world = kit();
    const gate = new TestGate();
    gate.isOpen = false;
    let starts = 0;
    world.system.spawnCell({ behavior: () => ({ receive: () => void starts++ }) }, 'gated', { gate });
    await world.settle();
    expect(world.system.snapshot().children[0]?.state).toBe('starting');
    gate.release();
    world.system.resume('gated');
    await world.settle();
    expect(world.system.snapshot().children[0]?.state).toBe('running');
    expect(starts).toBe(0);
  });

  test('that closes in the middle of a turn holds its sends and replies, and lets them out in order', async () => {
    await using world = kit();
    const { gate, ref, sink, notes } = gated(world);
    ref.tell({ type: 'send-later', to: sink, afterMs: 10 });
    await world.settle();
    gate.isOpen = false;
    await world.advance(10);
    expect(notes).toEqual([]);
    expect(gate.held).toHaveLength(1);
    gate.release();
    await world.settle();
    expect(notes).toHaveLength(1);

    const asked = ref.ask({ type: 'get-later', afterMs: 10 }, { timeoutMs: 1_000 });
    world.system.resume('gated');
    await world.settle();
    gate.isOpen = false;
    await world.advance(10);
    expect(world.system.asks.size).toBe(1);
    gate.release();
    expect(await asked).toBe(2);
  });

  test('without room makes fenced dead letters, and a fenced ask says so', async () => {
    await using world = kit();
    const { gate, ref, sink, notes } = gated(world);
    gate.room = 0;
    ref.tell({ type: 'send-later', to: sink, afterMs: 10 });
    await world.settle();
    gate.isOpen = false;
    await world.advance(10);
    expect(notes).toEqual([]);
    expect(world.system.deadLetters.counts).toEqual({ fenced: 1 });
  });

  test('stamps its epoch and its face on everything that leaves', async () => {
    await using world = kit();
    const sent: Envelope[] = [];
    world.system.connect({
      send: (envelope) => sent.push(envelope) > 0,
      giveUp: () => {},
      ready: () => Promise.resolve(),
      watch() {},
      unwatch() {},
      terminated() {},
    });
    const face = { kind: 'agent', type: 'counter', id: 'alice' } as const;
    type Go = { readonly type: 'go'; readonly to: ActorRef<Request<{ readonly type: 'hi'; readonly me: AnyRef }, void>> };
    const cell = world.system.spawnCell<Go>(
      actor<Go>((context, { to }) => {
        to.tell({ type: 'hi', me: context.self });
        void outcome(to.ask({ type: 'hi', me: context.self }, { timeoutMs: 100 }));
      }),
      'counter.alice',
      { gate: new TestGate(), face },
    );
    const far = world.system.unsafeRef<never>('nexa://other.2/x#1');
    cell.accept({ type: 'go', to: far });
    await world.settle();
    expect(sent.map(({ epoch, from }) => ({ epoch, from }))).toEqual([
      { epoch: 7, from: face },
      { epoch: 7, from: face },
    ]);
    expect(JSON.stringify(sent[0]?.message)).toBe('{"type":"hi","me":"nexa:counter/alice"}');
    expect(sent[1]).toMatchObject({ replyTo: { path: '?' }, budgetMs: 100, requestId: undefined });
    expect(sent[1]?.chain).toHaveLength(1);
  });

  test('is passed by the children too, since they act for the same activation', async () => {
    await using world = kit();
    const gate = new TestGate();
    const { sink, notes } = gated(world);
    world.system.spawnCell<never>(
      {
        behavior(context) {
          const child = context.spawn(actor<{ readonly type: 'go' }>(() => void sink.tell({ type: 'note' })));
          child.tell({ type: 'go' });
          return { receive() {} };
        },
      },
      'parent',
      { gate },
    );
    gate.isOpen = false;
    await world.settle();
    expect(notes).toEqual([]);
    gate.release();
    world.system.resume('parent');
    await world.settle();
    expect(notes).toHaveLength(1);
  });

  test('does not hold up a task of the runtime, which no turn overlaps', async () => {
    await using world = kit();
    const { gate, ref, cell, turns } = gated(world);
    ref.tell({ type: 'send-later', to: world.system.unsafeRef('nexa://local.1/x#99'), afterMs: 10 });
    await world.settle();
    gate.isOpen = false;
    const order: string[] = [];
    expect(
      world.system.runIn(cell.address, async () => {
        order.push('task begins');
        await new Promise<void>((resolve) => void world.clock.after(5, resolve));
        order.push('task ends');
      }),
    ).toBe(true);
    await world.settle();
    expect(order).toEqual([]);
    await world.advance(20);
    expect(order).toEqual(['task begins', 'task ends']);
    expect(turns).toEqual(['send-later']);
  });

  test('lets nothing of an ended actor out', async () => {
    await using world = kit();
    const { gate, ref, sink, notes } = gated(world);
    ref.tell({ type: 'send-later', to: sink, afterMs: 60_000 });
    await world.settle();
    world.system.stopActor(ref);
    await world.advance(5_000);
    expect(world.system.snapshot().children.map(({ name }) => name)).toEqual(['$1']);
    await world.advance(60_000);
    expect(notes).toEqual([]);
    expect(world.system.deadLetters.counts).toEqual({ crashed: 1, stopped: 1 });
    expect(gate.held).toEqual([]);
  });
});
