import { expect, test } from 'vitest';
import type { Context } from '../../../src/actor/context.ts';
import type { Request, StreamRequest } from '../../../src/actor/message.ts';
import type { Routees } from '../../../src/actor/receptionist.ts';
import type { ActorRef, Cancel } from '../../../src/actor/ref.ts';
import { consistentHash } from '../../../src/actor/routing/consistent-hash.ts';
import { latencyAware } from '../../../src/actor/routing/latency-aware.ts';
import { leastLoaded } from '../../../src/actor/routing/least-loaded.ts';
import { random } from '../../../src/actor/routing/random.ts';
import { roundRobin } from '../../../src/actor/routing/round-robin.ts';
import { router } from '../../../src/actor/routing/router.ts';
import type { Routing } from '../../../src/actor/routing/routing.ts';
import { NexaError } from '../../../src/errors.ts';
import { actor, type Kit, kit, outcome } from '../kit.ts';

type Work =
  | Request<{ readonly type: 'who'; readonly key?: string }, string>
  | StreamRequest<{ readonly type: 'items' }, string>
  | { readonly type: 'note'; readonly n: number }
  | { readonly type: 'fail' }
  | { readonly type: 'end' };
const within = { timeoutMs: 1_000 };

/** Actors that answer with their name, and keep what they are told. */
function workers(world: Kit, names: readonly string[], notes: string[] = []): ActorRef<Work>[] {
  return names.map((name) =>
    world.system.spawn<Work>(
      actor((context: Context<Work>, message: Work) => {
        switch (message.type) {
          case 'who':
            return context.reply(message, name);
          case 'items':
            return context.replyStream(message, async function* () {
              for (const item of ['a', 'b']) yield `${name} ${item}`;
            });
          case 'note':
            notes.push(`${name} ${message.n}`);
            return;
          case 'fail':
            throw new Error('planted');
          case 'end':
            return context.stop(context.self);
        }
      }),
      name,
    ),
  );
}
/** A source of routees that a test changes. */
function changing<M>(first: readonly ActorRef<M>[]): Routees<M> & { set(refs: readonly ActorRef<M>[]): void; readonly listeners: number } {
  let current = first;
  const listeners = new Set<(refs: readonly ActorRef<M>[]) => void>();
  return {
    current: () => current,
    onChange(listener): Cancel {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(refs) {
      current = refs;
      for (const listener of listeners) listener(refs);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

test('each ask goes to one routee, in turn, and its reply is typed by the message', async () => {
  await using world = kit();
  const ref = router(world.system, { routees: workers(world, ['a', 'b', 'c']), strategy: roundRobin() });
  const asks = Array.from({ length: 6 }, () => ref.ask({ type: 'who' }, within));
  await world.settle();
  expect(await Promise.all(asks)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  expect(ref.size).toBe(3);
});

test.each<[string, Routing<unknown>]>([
  ['random', random()],
  ['least loaded', leastLoaded()],
  ['latency aware', latencyAware()],
])('%s reaches routees and nobody else', async (_name, strategy) => {
  await using world = kit();
  const ref = router(world.system, { routees: workers(world, ['a', 'b', 'c']), strategy });
  const asks = Array.from({ length: 60 }, () => ref.ask({ type: 'who' }, within));
  await world.settle();
  const answered = await Promise.all(asks);
  expect(new Set(answered)).toEqual(new Set(['a', 'b', 'c']));
});

test('consistent hashing keeps what belongs together together, also while a routee is gone', async () => {
  await using world = kit();
  const routees = workers(world, ['a', 'b', 'c', 'd']);
  const strategy = consistentHash<Work>((message) => ('key' in message ? (message.key ?? '') : ''));
  const ref = router(world.system, { routees, strategy });
  const keys = Array.from({ length: 40 }, (_, index) => `customer ${index}`);
  const owners = async (): Promise<string[]> => {
    const asks = keys.map((key) => ref.ask({ type: 'who', key }, within));
    await world.settle();
    return Promise.all(asks);
  };
  const before = await owners();
  expect(await owners()).toEqual(before);
  routees[1]?.tell({ type: 'end' });
  await world.settle();
  const after = await owners();
  expect(after.filter((owner, index) => owner !== before[index]).length).toBe(before.filter((owner) => owner === 'b').length);
  expect(after).not.toContain('b');
});

test('tells of one sender to one routee keep their order (M2)', async () => {
  await using world = kit();
  const notes: string[] = [];
  const ref = router(world.system, { routees: workers(world, ['a', 'b'], notes), strategy: random() });
  for (let n = 0; n < 100; n++) ref.tell({ type: 'note', n });
  await world.settle();
  for (const name of ['a', 'b']) {
    const own = notes.filter((note) => note.startsWith(name)).map((note) => Number(note.slice(2)));
    expect(own).toEqual([...own].sort((x, y) => x - y));
    expect(own.length).toBeGreaterThan(10);
  }
  expect(notes.length).toBe(100);
});

test('a broadcast reaches every routee once, in order', async () => {
  await using world = kit();
  const notes: string[] = [];
  const ref = router(world.system, { routees: workers(world, ['a', 'b', 'c'], notes), strategy: roundRobin() });
  expect([ref.broadcast({ type: 'note', n: 1 }), ref.broadcast({ type: 'note', n: 2 })]).toEqual([3, 3]);
  await world.settle();
  expect(notes.sort()).toEqual(['a 1', 'a 2', 'b 1', 'b 2', 'c 1', 'c 2']);
});

test('a routee that ends is left out, and what it had not begun has its typed outcome', async () => {
  await using world = kit();
  const routees = workers(world, ['a', 'b']);
  const ref = router(world.system, { routees, strategy: roundRobin() });
  await world.settle();
  routees[0]?.tell({ type: 'end' });
  // Before anybody can know: the first of them goes to a dead one.
  const asks = Array.from({ length: 4 }, () => outcome(ref.ask({ type: 'who' }, within)));
  await world.settle();
  expect(await Promise.all(asks)).toEqual(['b', 'b', 'b', 'b']);
  expect(ref.size).toBe(1);
});

test('an ask that a full routee refused goes to the next one, and to nobody twice', async () => {
  await using world = kit();
  const handled: string[] = [];
  const routees = ['full', 'free'].map((name) =>
    world.system.spawn<Work>(
      actor(
        async (context: Context<Work>, message: Work) => {
          handled.push(name);
          if (message.type !== 'who') return;
          if (name === 'full') await new Promise<void>((resolve) => void context.clock.after(500, resolve));
          context.reply(message, name);
        },
        { mailbox: { limit: 1 } },
      ),
    ),
  );
  const ref = router(world.system, { routees: [routees[0] as ActorRef<Work>, routees[1] as ActorRef<Work>], strategy: roundRobin() });
  await world.settle();
  routees[0]?.tell({ type: 'note', n: 1 });
  await world.settle();
  const first = [ref.ask({ type: 'who' }, within)];
  await world.settle();
  // It is at work, and its mailbox will hold one more.
  routees[0]?.tell({ type: 'note', n: 2 });
  await world.advance(0);
  const asks = [];
  for (let each = 0; each < 4; each++) {
    asks.push(outcome(ref.ask({ type: 'who' }, within)));
    await world.settle();
  }
  await world.advance(5_000);
  expect(await Promise.all(asks)).toEqual(['free', 'free', 'free', 'free']);
  expect(await Promise.all(first)).toEqual(['full']);
  expect(handled.filter((name) => name === 'free').length).toBe(4);
});

test('an ask that may have been handled is not repeated: its asker is told', async () => {
  await using world = kit();
  const seen: string[] = [];
  const held: unknown[] = [];
  const props = (name: string) =>
    actor((context: Context<Work>, message: Work) => {
      seen.push(name);
      if (message.type === 'who' && name === 'crashes') throw new Error('planted');
      if (message.type === 'who' && name === 'silent') held.push(context.replyTo(message));
      if (message.type === 'who' && name === 'answers') context.reply(message, name);
    });
  const routees = ['crashes', 'silent', 'answers'].map((name) => world.system.spawn<Work>(props(name)));
  const ref = router(world.system, { routees, strategy: roundRobin() });
  const asks = Array.from({ length: 3 }, () => outcome(ref.ask({ type: 'who' }, within)));
  await world.advance(2_000);
  expect(await Promise.all(asks)).toEqual(['crashed', 'ask-timeout', 'answers']);
  expect(seen).toEqual(['crashes', 'silent', 'answers']);
});

test('what a routee refuses by itself is the answer, and goes to nobody else', async () => {
  await using world = kit();
  const routees = ['a', 'b'].map(() =>
    world.system.spawn<Work>(
      actor((context: Context<Work>, message: Work) => context.refuse(message, new NexaError('denied', 'not for you', { definite: true }))),
    ),
  );
  const ref = router(world.system, { routees, strategy: roundRobin() });
  const asked = outcome(ref.ask({ type: 'who' }, within));
  await world.settle();
  expect(await asked).toBe('denied');
});

test('without a routee an ask is unavailable at once, and a tell is a dead letter', async () => {
  await using world = kit();
  const ref = router<Work>(world.system, { routees: [], strategy: roundRobin() });
  const error = await ref.ask({ type: 'who' }, within).catch((thrown) => thrown as NexaError);
  expect(error).toMatchObject({
    code: 'unavailable',
    definite: true,
    retryable: true,
    where: { router: ref.toJSON() },
    fix: expect.any(String),
  });
  expect(ref.tell({ type: 'note', n: 1 })).toBe(true);
  expect(ref.broadcast({ type: 'note', n: 1 })).toBe(0);
  await expect(ref.ready(within)).rejects.toMatchObject({ code: 'unavailable' });
  const items = ref.stream({ type: 'items' }, { idleTimeoutMs: 100 })[Symbol.asyncIterator]();
  await expect(items.next()).rejects.toMatchObject({ code: 'unavailable' });
  expect(world.deadLetters()).toEqual(['no-actor']);
});

test('a stream comes from one routee, and from the next one only before its first item', async () => {
  await using world = kit();
  const [gone, ...others] = workers(world, ['gone', 'a']) as [ActorRef<Work>, ActorRef<Work>];
  const ref = router(world.system, { routees: [gone, ...others], strategy: roundRobin() });
  await world.settle();
  gone.tell({ type: 'end' });
  const got: string[] = [];
  const done = (async () => {
    for await (const item of ref.stream({ type: 'items' }, { idleTimeoutMs: 1_000 })) got.push(item);
  })();
  await world.advance(10);
  await done;
  expect(got).toEqual(['a a', 'a b']);
});

test('a source adds and removes routees; who stays keeps its place, and who ended does not come back with an old list', async () => {
  await using world = kit();
  const [a, b, c] = workers(world, ['a', 'b', 'c']) as [ActorRef<Work>, ActorRef<Work>, ActorRef<Work>];
  const source = changing<Work>([a]);
  const ref = router(world.system, { routees: source, strategy: roundRobin() });
  await world.settle();
  expect([ref.size, source.listeners]).toEqual([1, 1]);
  source.set([a, b]);
  source.set([a, b, c, c]);
  await world.settle();
  expect(ref.size).toBe(3);
  b.tell({ type: 'end' });
  await world.settle();
  source.set([a, b, c]);
  await world.settle();
  expect(ref.size).toBe(2);
  source.set([c]);
  await world.settle();
  const asked = ref.ask({ type: 'who' }, within);
  await world.settle();
  expect(await asked).toBe('c');
  world.system.stopActor(ref);
  await world.settle();
  expect(source.listeners).toBe(0);
});

test('a router is an actor below whoever made it, and ends with it', async () => {
  await using world = kit();
  let made: ActorRef<Work> | undefined;
  const routees = workers(world, ['a']);
  const parent = world.system.spawn<{ readonly type: 'end' }>({
    behavior(context) {
      made = router(context, { routees, strategy: roundRobin() }, 'pool');
      return { receive: (own) => own.stop(own.self) };
    },
  });
  await world.settle();
  expect(made?.toJSON()).toContain('/pool#');
  parent.tell({ type: 'end' });
  await world.settle();
  const after = world.system.unsafeRef<Work>((made as ActorRef<Work>).toJSON());
  expect(await outcome(after.ask({ type: 'who' }, within))).toBe('no-such-actor');
});

test('a router in a message goes on routing where it arrives', async () => {
  await using world = kit();
  const ref = router(world.system, { routees: workers(world, ['a', 'b']), strategy: roundRobin() });
  const answers: string[] = [];
  const user = world.system.spawn<{ readonly type: 'use'; readonly pool: ActorRef<Work> }>({
    behavior: () => ({
      async receive(_context, { pool }) {
        for (let each = 0; each < 3; each++) answers.push(await pool.ask({ type: 'who' }, within));
      },
    }),
  });
  user.tell({ type: 'use', pool: ref });
  await world.settle();
  // Its text names the actor of the router, which routes for those who have only that.
  const far = world.system.unsafeRef<Work>(ref.toJSON());
  const asked = [outcome(far.ask({ type: 'who' }, within)), outcome(far.ask({ type: 'who' }, within))];
  far.tell({ type: 'note', n: 1 });
  await world.settle();
  expect(answers).toEqual(['a', 'b', 'a']);
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['a', 'b']));
});

test('an ask through a router keeps the deadline and the chain of the ask that is being handled', async () => {
  await using world = kit();
  type Loop = Request<{ readonly type: 'loop' }, string>;
  let ref: ActorRef<Loop> | undefined;
  const came: unknown[] = [];
  const looping = world.system.spawn<Loop>({
    behavior: () => ({
      async receive(context, message) {
        came.push(context.remainingMs());
        came.push(await outcome((ref as ActorRef<Loop>).ask({ type: 'loop' }, { timeoutMs: 60_000 })));
        context.reply(message, 'over');
      },
    }),
  });
  ref = router(world.system, { routees: [looping], strategy: roundRobin() });
  const asked = outcome(looping.ask({ type: 'loop' }, { timeoutMs: 700 }));
  await world.settle();
  expect(came).toEqual([700, 'ask-cycle']);
  expect(await asked).toBe('over');
});

test('more than 1,000 routees are refused in a list, and left out of a source', async () => {
  await using world = kit();
  const many = Array.from({ length: 1_001 }, () => world.system.spawn<Work>(actor(() => {})));
  expect(() => router(world.system, { routees: many, strategy: roundRobin() })).toThrow(
    expect.objectContaining({ code: 'quota-exceeded' }),
  );
  const ref = router(world.system, { routees: changing(many), strategy: roundRobin() });
  await world.settle();
  expect(ref.size).toBe(1_000);
});

test('a message whose key cannot be told is refused at its sender', async () => {
  await using world = kit();
  const strategy = consistentHash<Work>(() => {
    throw new Error('planted');
  });
  const ref = router(world.system, { routees: workers(world, ['a']), strategy });
  expect(() => ref.tell({ type: 'note', n: 1 })).toThrow(expect.objectContaining({ code: 'invalid-message' }));
  await expect(ref.ask({ type: 'who' }, within)).rejects.toMatchObject({ code: 'invalid-message' });
  const far = world.system.unsafeRef<Work>(ref.toJSON());
  far.tell({ type: 'note', n: 1 });
  const asked = outcome(far.ask({ type: 'who' }, within));
  await world.advance(100);
  expect(await asked).toBe('invalid-message');
  expect(world.deadLetters()).toEqual(['invalid-message']);
  expect(world.system.counters.restarts).toBe(0);
});
