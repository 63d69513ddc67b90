import { describe, expect, test } from 'vitest';
import type { Request } from '../../src/actor/message.ts';
import { allForOne, oneForOne, restForOne, type Strategy } from '../../src/actor/strategy.ts';
import type { NexaError } from '../../src/errors.ts';
import { actor, type Kit, kit, outcome } from '../actor/kit.ts';

type Child = { readonly type: 'crash'; readonly why?: string } | Request<{ readonly type: 'count' }, number>;
type Parent = { readonly type: 'to'; readonly name: string; readonly message: Child } | Request<{ readonly type: 'names' }, string[]>;
const NOW = { minMs: 0, maxMs: 0, factor: 1, jitter: 0 } as const;

function family(world: Kit, strategy: Strategy, names = ['a', 'b', 'c']) {
  const trace: string[] = [];
  const child = (name: string) => ({
    behavior: () => {
      let handled = 0;
      return {
        receive(context: { reply(message: Child, count: number): void }, message: Child) {
          if (message.type === 'crash') throw new Error(message.why ?? 'boom');
          context.reply(message, ++handled);
        },
        signal: (_: unknown, { signal }: { readonly signal: string }) => void trace.push(`${signal} ${name}`),
      };
    },
  });
  const parent = world.system.spawn<Parent>(
    {
      strategy,
      behavior(context) {
        const children = new Map(names.map((name) => [name, context.spawn(child(name) as never, name)]));
        return {
          receive(inner, message) {
            if (message.type === 'names') return inner.reply(message, [...inner.children.keys()]);
            (children.get(message.name) as unknown as { tell(message: Child): void }).tell(message.message);
          },
          signal: (_, { signal }) => void trace.push(`${signal} parent`),
        };
      },
    },
    'parent',
  );
  return {
    parent,
    trace,
    crash: (name: string, why?: string) =>
      parent.tell({ type: 'to', name, message: { type: 'crash', ...(why === undefined ? {} : { why }) } }),
  };
}

describe('L2: a crash loses only the message that crashed', () => {
  test('as a dead letter with the error; the next messages are handled', async () => {
    await using world = kit();
    const seen: number[] = [];
    const ref = world.system.spawn(
      actor<{ readonly type: 'n'; readonly n: number }>((_, { n }) => {
        if (n === 2) throw new Error('boom');
        seen.push(n);
      }),
    );
    for (const n of [1, 2, 3]) ref.tell({ type: 'n', n });
    await world.advance(1_000);
    expect(seen).toEqual([1, 3]);
    expect(world.system.deadLetters.list().map(({ reason, error, envelope }) => [reason, error?.message, envelope.message])).toEqual([
      ['crashed', 'boom', { type: 'n', n: 2 }],
    ]);
  });

  test('scope one restarts the child alone', async () => {
    await using world = kit();
    const { trace, crash } = family(world, oneForOne({ backoff: NOW }));
    await world.settle();
    trace.length = 0;
    crash('b');
    await world.settle();
    expect(trace).toEqual(['restarting b', 'started b']);
  });

  test('scope rest restarts those started after it too: stopped in reverse, started in order', async () => {
    await using world = kit();
    const { trace, crash } = family(world, restForOne({ backoff: NOW }));
    await world.settle();
    trace.length = 0;
    crash('b');
    await world.settle();
    expect(trace).toEqual(['restarting c', 'restarting b', 'started b', 'started c']);
  });

  test('scope all restarts every child', async () => {
    await using world = kit();
    const { trace, crash } = family(world, allForOne({ backoff: NOW }));
    await world.settle();
    trace.length = 0;
    crash('b');
    await world.settle();
    expect(trace).toEqual(['restarting c', 'restarting b', 'restarting a', 'started a', 'started b', 'started c']);
  });

  test('resume keeps the state, stop ends the child and its fellows of the same fate', async () => {
    await using world = kit();
    const strategy = restForOne({ decide: (error) => (error.message === 'go on' ? 'resume' : 'stop') });
    const { parent, trace, crash } = family(world, strategy);
    await world.settle();
    trace.length = 0;
    crash('a', 'go on');
    await world.settle();
    expect(trace).toEqual([]);
    crash('b', 'enough');
    await world.settle();
    expect(trace.sort()).toEqual(['stopping b', 'stopping c']);
    expect(await parent.ask({ type: 'names' }, { timeoutMs: 10 })).toEqual(['a']);
  });

  test('the back-off grows, is capped, and lets time pass', async () => {
    await using world = kit();
    const strategy = oneForOne({ maxRestarts: 10, backoff: { minMs: 100, maxMs: 300, factor: 2, jitter: 0 } });
    const { crash } = family(world, strategy, ['a']);
    await world.settle();
    for (let n = 0; n < 4; n++) {
      crash('a');
      await world.advance(1_000);
    }
    const delays = world.events.filter((event) => event.event === 'restarted').map((event) => event.delayMs);
    expect(delays).toEqual([100, 200, 300, 300]);
  });

  test('past the intensity it escalates: the parent is restarted by its own parent', async () => {
    await using world = kit();
    const { trace, crash } = family(world, oneForOne({ maxRestarts: 2, withinMs: 1_000, backoff: NOW }), ['a']);
    await world.settle();
    trace.length = 0;
    for (let n = 0; n < 3; n++) {
      crash('a');
      await world.settle();
    }
    await world.advance(100);
    expect(trace).toEqual([
      'restarting a',
      'started a',
      'restarting a',
      'started a',
      'stopping a',
      'restarting parent',
      'started parent',
      'started a',
    ]);
  });

  test('restarts that lie further apart than withinMs do not count', async () => {
    await using world = kit();
    const { trace, crash } = family(world, oneForOne({ maxRestarts: 2, withinMs: 1_000, backoff: NOW }), ['a']);
    await world.settle();
    for (let n = 0; n < 10; n++) {
      crash('a');
      await world.advance(600);
    }
    expect(trace.filter((line) => line === 'restarting parent')).toEqual([]);
  });

  test('at the root the system fails and stops', async () => {
    await using world = kit({ strategy: oneForOne({ maxRestarts: 1, withinMs: 60_000, backoff: NOW }) });
    const ref = world.system.spawn(
      actor<{ readonly type: 'crash' }>(() => {
        throw new Error('the end');
      }),
    );
    ref.tell({ type: 'crash' });
    ref.tell({ type: 'crash' });
    expect(await world.system.failed).toMatchObject({ code: 'crashed', message: 'the end' });
    await world.settle();
    expect(world.system.actors).toBe(0);
    expect(() => world.system.spawn(actor<never>(() => {}))).toThrow('ending');
  });

  test('a parent that is told to go on after an escalation takes the child along', async () => {
    await using world = kit({ strategy: oneForOne({ decide: () => 'resume' }) });
    const { trace, crash, parent } = family(world, oneForOne({ decide: () => 'escalate' }), ['a']);
    await world.settle();
    trace.length = 0;
    crash('a');
    await world.settle();
    expect(trace).toEqual([]);
    parent.tell({ type: 'to', name: 'a', message: { type: 'crash' } });
    await world.settle();
    expect(world.system.deadLetters.counts).toEqual({ crashed: 2 });
    expect(world.system.snapshot().children[0]?.state).toBe('running');
    expect(world.system.snapshot().children[0]?.children[0]?.state).toBe('running');
  });

  test('a child with a last resort is given up there and fells nobody', async () => {
    await using world = kit();
    const given: NexaError[] = [];
    world.system.spawnCell(
      actor<{ readonly type: 'crash' }>(() => {
        throw new Error('again');
      }),
      'agent',
      { onGiveUp: (error) => void given.push(error) },
    );
    const ref = world.system.unsafeRef<{ readonly type: 'crash' }>({
      kind: 'incarnation',
      node: 'local',
      nodeIncarnation: 1,
      path: 'agent',
      uid: 0,
    });
    for (let n = 0; n < 6; n++) {
      ref.tell({ type: 'crash' });
      await world.advance(5_000);
    }
    expect(given.map((error) => error.message)).toEqual(['again']);
    expect(world.events.filter((event) => event.event === 'stopped').map((event) => event.reason)).toEqual(['failed']);
    expect(world.system.actors).toBe(0);
  });

  test('a behaviour that cannot be made is restarted with back-off and then escalates, without starving anybody', async () => {
    await using world = kit({ strategy: oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, backoff: NOW }) });
    let tries = 0;
    world.system.spawn({
      behavior() {
        tries++;
        throw new Error('cannot start');
      },
    });
    let turned = false;
    await new Promise<void>((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => setImmediate(resolve));
    turned = true;
    expect(turned).toBe(true);
    expect(tries).toBeGreaterThan(10);
    await world.system.stop({ timeoutMs: 1_000 });
  });

  test('a strategy that throws or decides nonsense escalates', async () => {
    for (const decide of [
      () => {
        throw new Error('undecided');
      },
      () => 'panic' as never,
    ]) {
      await using world = kit();
      const { trace, crash } = family(world, oneForOne({ decide }), ['a']);
      await world.settle();
      trace.length = 0;
      crash('a');
      await world.advance(100);
      expect(trace).toEqual(['stopping a', 'restarting parent', 'started parent', 'started a']);
    }
  });

  test('a failure while its fellows restart starts the restart over', async () => {
    await using world = kit();
    const trace: string[] = [];
    let fail = true;
    const child = (name: string) => ({
      behavior: () => {
        if (name === 'b' && trace.includes('started b') && fail) {
          fail = false;
          throw new Error('not yet');
        }
        return {
          receive: () => {
            throw new Error('boom');
          },
          signal: (_: unknown, { signal }: { readonly signal: string }) => void trace.push(`${signal} ${name}`),
        };
      },
    });
    const parent = world.system.spawn<{ readonly type: 'go' }>({
      strategy: allForOne({ backoff: NOW }),
      behavior(context) {
        const [a] = ['a', 'b', 'c'].map((name) => context.spawn<{ readonly type: 'go' }>(child(name), name));
        return { receive: (_, message) => void a?.tell(message) };
      },
    });
    await world.settle();
    trace.length = 0;
    trace.push('started b');
    parent.tell({ type: 'go' });
    await world.advance(1_000);
    expect(trace.slice(1)).toEqual([
      'restarting c',
      'restarting b',
      'restarting a',
      'started a',
      'restarting a',
      'started a',
      'started b',
      'started c',
    ]);
  });

  test('the children of a restarted actor are stopped before it starts again', async () => {
    await using world = kit({ strategy: oneForOne({ backoff: NOW }) });
    const { trace, parent } = family(world, oneForOne(), ['a', 'b']);
    await world.settle();
    trace.length = 0;
    (parent as unknown as { tell(message: object): void }).tell({ type: 'to', name: 'nobody', message: {} });
    await world.settle();
    expect(trace).toEqual(['stopping b', 'stopping a', 'restarting parent', 'started parent', 'started a', 'started b']);
    expect(await outcome(parent.ask({ type: 'names' }, { timeoutMs: 10 }))).toEqual(['a', 'b']);
  });
});
