import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../src/ports/logger.ts';
import { actor, kit, outcome } from './kit.ts';

const escaped: unknown[] = [];
const note = (error: unknown) => void escaped.push(error);
beforeEach(() => {
  escaped.length = 0;
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
});

const unprintable = {
  toString() {
    throw new Error('not even text');
  },
};

test('whatever a handler throws, rejects with or returns, the process lives and the actor goes on', async () => {
  await using world = kit();
  const thenable = (then: PropertyDescriptor): unknown => Object.defineProperty({}, 'then', then);
  const bad = (): never => {
    throw new Error('bad');
  };
  const evil: readonly (() => unknown)[] = [
    () => {
      throw undefined;
    },
    () => {
      throw null;
    },
    () => {
      throw unprintable;
    },
    () => {
      throw Object.create(null);
    },
    () => Promise.reject(unprintable),
    () => Promise.reject(undefined),
    () => thenable({ value: bad }),
    () => thenable({ get: bad }),
    () =>
      thenable({
        value: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
          resolve(undefined);
          reject(new Error('twice'));
        },
      }),
    () => 'text',
    () => new Proxy({}, { get: bad }),
    () => Object.defineProperty({}, 'receive', { get: bad }),
    () => Promise.resolve(Object.defineProperty({}, 'receive', { get: bad })),
    () => Object.defineProperty(Promise.resolve(), 'constructor', { get: bad }),
  ];
  let handled = 0;
  const ref = world.system.spawn(
    actor<{ readonly type: 'do'; readonly at: number }>((_, { at }) => {
      handled++;
      return evil[at]?.();
    }),
  );
  for (let at = 0; at < evil.length; at++) {
    ref.tell({ type: 'do', at });
    await world.advance(61_000);
  }
  ref.tell({ type: 'do', at: 99 });
  await world.settle();
  expect(handled).toBe(evil.length + 1);
  expect(world.system.snapshot().children[0]?.state).toBe('running');
  expect(escaped).toEqual([]);
});

test('a log, a listener, a signal, a timer and a strategy that throw hurt nobody', async () => {
  const bad = () => {
    throw new Error('bad');
  };
  const log: Logger = { debug: bad, info: bad, warn: bad, error: bad, child: bad };
  await using world = kit({ log });
  world.system.events.subscribe(bad);
  const ref = world.system.spawn<{ readonly type: 'tick' | 'crash' }>({
    behavior(context) {
      context.log.info({}, 'still here');
      context.after(10, { type: 'tick' });
      context.subscribe('stopped', bad);
      return { receive: (_, { type }) => (type === 'crash' ? bad() : undefined), signal: bad };
    },
    strategy: { scope: 'one', maxRestarts: 1, withinMs: 1, backoff: { minMs: 0, maxMs: 0, factor: 1, jitter: 0 }, decide: bad },
  });
  await world.advance(5);
  ref.tell({ type: 'crash' });
  await world.advance(120_000);
  await world.system.failed;
  expect(escaped).toEqual([]);
});

test('messages of every kind are handled or refused, none breaks the actor', async () => {
  await using world = kit();
  const seen: unknown[] = [];
  const ref = world.system.spawn(actor<never>((_, message) => void seen.push(message)));
  const odd = [
    undefined,
    null,
    0,
    'text',
    Symbol('s'),
    [],
    Object.freeze({ type: 'x' }),
    Object.create(null),
    () => {},
    new Proxy({}, {}),
    10n,
  ];
  for (const message of odd) ref.tell(message as never);
  await world.settle();
  expect(seen).toEqual(odd);
  const explosive = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no keys');
      },
    },
  );
  ref.tell(explosive as never);
  ref.tell({ type: 'after' } as never);
  await world.advance(1_000);
  expect(seen.at(-1)).toEqual({ type: 'after' });
  expect(world.deadLetters()).toEqual(['crashed']);
  expect(escaped).toEqual([]);
});

test('envelopes of every kind are delivered, answered or counted, none throws', async () => {
  await using world = kit();
  const { system } = world;
  const here = { kind: 'incarnation', node: 'local', nodeIncarnation: 1 } as const;
  for (const to of [
    { ...here, path: '', uid: 1 },
    { ...here, path: '~', uid: 1 },
    { ...here, path: '__proto__', uid: 0 },
    { ...here, path: '?', uid: -1 },
    { ...here, path: '?', uid: Number.NaN },
    { ...here, path: 'a/b/c', uid: 0 },
  ]) {
    system.deliver({ to, message: { ok: true }, replyTo: { ...here, path: '?', uid: 12 } });
  }
  const silent = system.spawn(actor<never>((context, message) => void context.replyTo(message)));
  for (const answer of [undefined, null, 7, {}, { ok: 'yes' }, { ok: false }, { ok: false, error: { code: 'constructor' } }]) {
    const asked = outcome(system.refOf(silent.address).ask({ type: 'x' }, { timeoutMs: 100 }));
    system.deliver({ to: { ...here, path: '?', uid: system.asks.opened }, message: answer });
    expect(['invalid-message', 'internal']).toContain(await asked);
  }
  await world.settle();
  expect(escaped).toEqual([]);
});
