import { expect, test } from 'vitest';
import type { Context } from '../../src/actor/context.ts';
import type { Request, StreamRequest } from '../../src/actor/message.ts';
import type { ActorRef, StreamOptions } from '../../src/actor/ref.ts';
import { actor, type Kit, kit, outcome } from './kit.ts';

type Count = StreamRequest<{ readonly type: 'count'; readonly to: number; readonly fail?: boolean; readonly step?: number }, number>;
type Message =
  | Count
  | StreamRequest<{ readonly type: 'stuck' }, number>
  | Request<{ readonly type: 'once' }, number>
  | { readonly type: 'crash' };

const within: StreamOptions = { idleTimeoutMs: 1_000 };

/** Counts, and remembers what its generators saw. */
function counter(world: Kit) {
  const seen: string[] = [];
  let pulled = 0;
  const handle = (context: Context<Message>, message: Message): void => {
    switch (message.type) {
      case 'count': {
        const { to, fail = false, step = 0 } = message;
        return context.replyStream(message, async function* (signal) {
          signal.addEventListener('abort', () => seen.push('aborted'));
          try {
            for (let value = 0; value < to; value++) {
              if (step > 0) await new Promise<void>((resolve) => void world.clock.after(step, resolve));
              pulled++;
              yield value;
            }
            if (fail) throw new Error('no more numbers');
          } finally {
            seen.push('returned');
          }
        });
      }
      case 'stuck':
        return context.replyStream(message, async function* () {
          yield 1;
          await new Promise(() => {});
        });
      case 'once':
        return context.reply(message, 1);
      case 'crash':
        throw new Error('crash');
    }
  };
  const ref = world.system.spawn(actor<Message>(handle), 'counter');
  return {
    ref,
    seen,
    get pulled() {
      return pulled;
    },
  };
}
async function read(items: AsyncIterable<unknown>, most = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const item of items) {
      all.push(item);
      if (all.length >= most) break;
    }
    all.push('done');
  } catch (error) {
    all.push((error as { readonly code?: string }).code ?? error);
  }
  return all;
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('items arrive in order, and the end once', async () => {
  await using world = kit();
  const { ref } = counter(world);
  expect(await read(ref.stream({ type: 'count', to: 100 }, within))).toEqual([...upTo(100), 'done']);
  const items = ref.stream({ type: 'count', to: 1 }, within);
  expect(await read(items)).toEqual([0, 'done']);
  expect(await read(items)).toEqual(['done']);
  expect([world.system.streams.consumed, world.system.streams.open]).toEqual([0, 0]);
});

test('a generator is pulled only as far as the window goes', async () => {
  await using world = kit();
  const producer = counter(world);
  const iterator = producer.ref.stream({ type: 'count', to: 1_000 }, { ...within, window: 8 })[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toBe(0);
  await world.settle();
  expect(producer.pulled).toBe(8);
  for (let count = 1; count < 8; count++) await iterator.next();
  await world.settle();
  expect(producer.pulled).toBe(16);
  await iterator.return?.();
});

test('leaving the loop aborts the generator, which returns', async () => {
  await using world = kit();
  const producer = counter(world);
  expect(await read(producer.ref.stream({ type: 'count', to: 1_000 }, within), 3)).toEqual([...upTo(3), 'done']);
  await world.settle();
  expect(producer.seen).toEqual(['aborted', 'returned']);
  expect(world.system.streams.open).toBe(0);
});

test('the signal ends it at both ends', async () => {
  await using world = kit();
  const producer = counter(world);
  const gaveUp = new AbortController();
  const items = read(producer.ref.stream({ type: 'count', to: 1_000, step: 10 }, { ...within, signal: gaveUp.signal }));
  await world.advance(25);
  gaveUp.abort();
  expect(await items).toEqual([0, 1, 'cancelled']);
  await world.advance(20);
  expect(producer.seen).toEqual(['aborted', 'returned']);
  expect(await read(producer.ref.stream({ type: 'count', to: 3 }, { ...within, signal: gaveUp.signal }))).toEqual(['cancelled']);
});

test('a generator that throws ends the stream behind its items', async () => {
  await using world = kit();
  const { ref } = counter(world);
  expect(await read(ref.stream({ type: 'count', to: 3, fail: true }, within))).toEqual([0, 1, 2, 'crashed']);
});

test('a producer that is silent for too long is left', async () => {
  await using world = kit();
  const producer = counter(world);
  const items = read(producer.ref.stream({ type: 'count', to: 3, step: 2_000 }, within));
  await world.advance(1_000);
  expect(await items).toEqual(['ask-timeout']);
  await world.advance(1_000);
  expect(producer.seen).toEqual(['aborted', 'returned']);
});

test('a consumer that pulls nothing for long is given up, after what it was sent', async () => {
  await using world = kit();
  const producer = counter(world);
  const iterator = producer.ref.stream({ type: 'count', to: 1_000 }, { ...within, window: 4 })[Symbol.asyncIterator]();
  await iterator.next();
  await world.advance(29_000);
  expect(producer.seen).toEqual([]);
  await world.advance(1_500);
  expect(producer.seen).toEqual(['aborted', 'returned']);
  expect(await read({ [Symbol.asyncIterator]: () => iterator })).toEqual([1, 2, 3, 'ask-timeout']);
});

test('a crash and a stop of the producer break the stream', async () => {
  await using world = kit();
  const producer = counter(world);
  const crashed = read(producer.ref.stream({ type: 'count', to: 1_000, step: 10 }, within));
  await world.advance(15);
  producer.ref.tell({ type: 'crash' });
  await world.settle();
  expect(await crashed).toEqual([0, 'stream-broken']);
  await world.advance(1_000);
  const stopped = read(producer.ref.stream({ type: 'count', to: 1_000, step: 10 }, within));
  await world.advance(15);
  world.system.stopActor(producer.ref);
  await world.settle();
  expect(await stopped).toEqual([0, 'stream-broken']);
  expect(await read(producer.ref.stream({ type: 'count', to: 1 }, within))).toEqual(['no-such-actor']);
});

test('what is wrong shows where the first item is asked for', async () => {
  await using world = kit();
  const { ref } = counter(world);
  const bad: StreamOptions[] = [
    { idleTimeoutMs: 1_000, window: 0 },
    { idleTimeoutMs: 1_000, window: 2_000 },
    { idleTimeoutMs: 1_000, window: 1.5 },
    { idleTimeoutMs: -1 },
    { idleTimeoutMs: Number.NaN },
    undefined as unknown as StreamOptions,
  ];
  for (const options of bad) expect(await read(ref.stream({ type: 'count', to: 1 }, options))).toEqual(['invalid-message']);
  expect(await read((ref as ActorRef<Count>).stream({ type: 'once' } as unknown as Count, within))).toEqual(['invalid-message']);
  const asked = ref as unknown as ActorRef<Request<{ readonly type: 'count' }, number>>;
  await expect(asked.ask({ type: 'count' }, { timeoutMs: 100 })).rejects.toMatchObject({
    code: 'invalid-message',
    definite: true,
    where: { answers: 'stream' },
  });
});

test('a generator that ignores its signal is abandoned, and counted', async () => {
  await using world = kit();
  const { ref } = counter(world);
  expect(await read(ref.stream({ type: 'stuck' }, within), 1)).toEqual([1, 'done']);
  await world.settle();
  expect([world.system.streams.open, world.system.streams.abandoned]).toEqual([1, 0]);
  await world.advance(5_000);
  expect([world.system.streams.open, world.system.streams.abandoned]).toEqual([0, 1]);
});

test('an actor produces at most 1,000 streams at a time', async () => {
  await using world = kit();
  const { ref } = counter(world);
  const open = upTo(1_001).map(() => ref.stream({ type: 'count', to: 9 }, { ...within, window: 1 })[Symbol.asyncIterator]());
  const first: unknown[] = [];
  for (const iterator of open) first.push(await outcome(iterator.next()));
  expect(first.slice(0, 1_000)).toEqual(upTo(1_000).map(() => ({ done: false, value: 0 })));
  expect(first[1_000]).toBe('overloaded');
  for (const iterator of open) await iterator.return?.();
  await world.settle();
  expect(world.system.streams.open).toBe(0);
});

test('a consumer that stops leaves its streams', async () => {
  await using world = kit();
  const producer = counter(world);
  const got: number[] = [];
  const consumer = world.system.spawn(
    actor<{ readonly type: 'read' } | { readonly type: 'over' }>((context, message) => {
      if (message.type === 'over') return;
      const items = producer.ref.stream({ type: 'count', to: 1_000, step: 10 }, within);
      const iterator = items[Symbol.asyncIterator]();
      const pump = async (): Promise<void> => {
        for await (const item of { [Symbol.asyncIterator]: () => iterator }) got.push(item);
      };
      void context.pipe(pump, () => ({ type: 'over' }));
    }),
  );
  consumer.tell({ type: 'read' });
  await world.advance(25);
  world.system.stopActor(consumer);
  await world.advance(100);
  expect(producer.seen).toEqual(['aborted', 'returned']);
  expect(got).toEqual([0, 1]);
});

test('two ends that never wait for anything leave the event loop to others', async () => {
  await using world = kit();
  const { ref } = counter(world);
  let items = 0;
  let rounds = 0;
  const go = (): void => {
    rounds++;
    if (items < 200_000) setImmediate(go);
  };
  setImmediate(go);
  for await (const _ of ref.stream({ type: 'count', to: 200_000 }, { ...within, window: 64 })) items++;
  expect(rounds).toBeGreaterThan(2);
});
