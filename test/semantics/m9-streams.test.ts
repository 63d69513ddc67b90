import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { receive } from '../../src/actor/behavior.ts';
import type { StreamRequest } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef, StreamOptions } from '../../src/actor/ref.ts';
import { command, streaming } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { kit } from '../actor/kit.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** Counts, durably how often it was asked to; every `stepMs` one number. What its generators saw is in `seen`. */
function ticker(seen: string[], clockOf: () => Clock) {
  return defineAgent({
    type: 'ticker',
    version: 1,
    commands: {
      count: streaming({ to: z.int(), stepMs: z.int().default(0), wrong: z.boolean().default(false) }, { item: z.object({ n: z.int() }) }),
      runs: command({}, { reply: z.object({ runs: z.int() }) }),
      large: streaming({ bytes: z.int() }, { item: z.string() }),
      no: streaming({}, { item: z.string(), refusals: { never: z.object({ why: z.string() }) } }),
    },
    state: z.object({ runs: z.int() }),
    initial: { runs: 0 },
  }).handle({
    count: ({ state }, { to, stepMs, wrong }) => ({
      state: { runs: state.runs + 1 },
      stream: async function* (signal) {
        try {
          for (let n = 0; n < to && !signal.aborted; n++) {
            if (stepMs > 0) await new Promise<void>((resolve) => void clockOf().after(stepMs, resolve));
            yield { n };
          }
          if (wrong) yield { n: 'x' as unknown as number };
        } finally {
          seen.push(signal.aborted ? 'aborted' : 'returned');
        }
      },
    }),
    runs: ({ state }) => ({ reply: state }),
    large: (_context, { bytes }) => ({
      stream: async function* () {
        yield 'small';
        yield 'x'.repeat(bytes);
        yield 'never';
      },
    }),
    no: () => ({ refused: 'never', details: { why: 'because' } }),
  });
}

type Streamed = { readonly items: unknown[]; end: string | undefined };
/** Reads as items come, without holding up the test, which moves time. */
function reading(items: AsyncIterable<unknown>, most = Number.POSITIVE_INFINITY): Streamed {
  const streamed: Streamed = { items: [], end: undefined };
  void (async () => {
    try {
      for await (const item of items) if (streamed.items.push(item) >= most) break;
      streamed.end = 'done';
    } catch (error) {
      streamed.end = (error as { readonly code: string }).code;
    }
  })();
  return streamed;
}
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const within: StreamOptions = { idleTimeoutMs: 5_000 };

async function ticking(options: Parameters<typeof calmCluster>[0] = {}) {
  const seen: string[] = [];
  const cluster = await calmCluster({ relaunches: false, drift: false, ...options, agents: [ticker(seen, () => cluster.world.clock)] });
  await cluster.spawn('ticker', 't', 'n2');
  const stream = (from: string, message: object, given: StreamOptions = within) =>
    cluster
      .member(from)
      .system.unsafeRef<StreamRequest<{ readonly type: 'count' }, unknown>>('nexa:ticker/t')
      .stream({ type: 'count', ...message }, given);
  return { cluster, seen, stream, world: cluster.world };
}

describe('M9: a stream is ended once, and its items are a prefix, in order', () => {
  test('between nodes, through any window, and its state is stored before the first item', async () => {
    const { cluster, stream, world, seen } = await ticking();
    await using _ = cluster;
    for (const window of [1, 7, 16, 1_024]) {
      const read = reading(stream('n1', { to: 3_000 }, { ...within, window }));
      await world.run(10_000);
      expect([read.end, read.items]).toEqual(['done', numbers(3_000)]);
    }
    expect(await cluster.ask('n3', 'ticker/t', { type: 'runs' })).toEqual({ runs: 4 });
    expect(seen).toEqual(['returned', 'returned', 'returned', 'returned']);
    const { streams } = cluster.member('n2').system;
    expect([streams.open, cluster.member('n1').system.streams.consumed]).toEqual([0, 0]);
    const first = reading(stream('n3', { to: 3 }), 1);
    world.network.faults.cutStore('n2');
    await world.run(1_000);
    expect(first.items).toEqual([]);
  });

  test('whoever leaves, or aborts, or is gone, is not produced for any more', async () => {
    const { cluster, stream, world, seen } = await ticking();
    await using _ = cluster;
    const left = reading(stream('n1', { to: 1_000, stepMs: 10 }), 3);
    await world.run(500);
    expect([left.end, left.items, seen]).toEqual(['done', numbers(3), ['aborted']]);
    const gaveUp = new AbortController();
    const aborted = reading(stream('n1', { to: 1_000, stepMs: 10 }, { ...within, signal: gaveUp.signal }));
    await world.run(100);
    gaveUp.abort();
    await world.run(100);
    expect([aborted.end, seen]).toEqual(['cancelled', ['aborted', 'aborted']]);
    reading(stream('n3', { to: 100_000, stepMs: 10 }, { ...within, window: 1_024 }));
    await world.run(100);
    world.crash('n3', 10);
    await world.run(2_000);
    expect([seen.length, cluster.member('n2').system.streams.open]).toEqual([3, 0]);
  });

  test('one that is given up before it was begun never begins', async () => {
    const { cluster, stream, world, seen } = await ticking();
    await using _ = cluster;
    const gaveUp = new AbortController();
    world.network.faults.election(3_000);
    const [holding] = [cluster.asking('n1', 'ticker/t', { type: 'runs' })];
    const first = reading(stream('n1', { to: 5 }));
    const second = reading(stream('n1', { to: 7 }, { ...within, signal: gaveUp.signal }));
    await world.run(100);
    gaveUp.abort();
    await world.run(6_000);
    expect(holding?.came).toEqual({ reply: { runs: 0 } });
    expect([first.end, second.end, seen]).toEqual(['done', 'cancelled', ['returned']]);
    expect(await cluster.ask('n1', 'ticker/t', { type: 'runs' })).toEqual({ runs: 1 });
  });

  test('the loss of the producer is said: node-lost when it is recorded gone, stream-broken when only it has ended', async () => {
    const { cluster, stream, world } = await ticking();
    await using _ = cluster;
    const broken = reading(stream('n1', { to: 1_000, stepMs: 10 }));
    await world.run(200);
    await world.until(cluster.member('n3').agents.stop('ticker', 't', { forget: false, timeoutMs: 5_000 }));
    await world.run(100);
    expect([broken.end, broken.items]).toEqual(['stream-broken', numbers(broken.items.length)]);
    await cluster.spawn('ticker', 't', 'n2', { spawnId: 'again' });
    const lost = reading(stream('n1', { to: 1_000, stepMs: 10 }));
    await world.run(200);
    world.crash('n2', 10);
    await world.run(2_000);
    expect([lost.end, lost.items]).toEqual(['node-lost', numbers(lost.items.length)]);
    expect(lost.items.length).toBeGreaterThan(3);
  });

  test('no item leaves while the lease is not held, and the stream goes on when it is', async () => {
    const { cluster, stream, world } = await ticking();
    await using _ = cluster;
    const read = reading(stream('n1', { to: 100, stepMs: 100 }, { idleTimeoutMs: 60_000 }));
    await world.run(500);
    world.network.faults.election(8_000);
    await world.run(6_000);
    const before = read.items.length;
    expect(before).toBeLessThan(60);
    await world.run(500);
    expect(read.items.length).toBe(before);
    await world.run(20_000);
    expect([read.end, read.items]).toEqual(['done', numbers(100)]);
  });

  test('an owner that lost its agent breaks the stream, and produces no more', async () => {
    const { cluster, stream, world, seen } = await ticking();
    await using _ = cluster;
    const read = reading(stream('n1', { to: 100_000, stepMs: 10 }, { idleTimeoutMs: 60_000 }));
    await world.run(500);
    world.network.faults.isolate('n2');
    await world.run(9_000);
    expect([read.end, read.items]).toEqual(['node-lost', numbers(read.items.length)]);
    world.network.faults.heal('n2');
    await world.run(5_000);
    expect(seen).toEqual(['aborted']);
  });

  test('what is wrong is said where the first item is asked for, definitely; a bad item behind those before it', async () => {
    const { cluster, stream, world } = await ticking();
    await using _ = cluster;
    const over = async (items: AsyncIterable<unknown>) => {
      const read = reading(items);
      await world.run(7_000);
      return [read.end, read.items.length];
    };
    expect(await over(stream('n1', { to: 'x' }))).toEqual(['invalid-message', 0]);
    expect(await over(stream('n1', { type: 'no' }))).toEqual(['refused', 0]);
    expect(await over(stream('n1', { type: 'nothing' }))).toEqual(['unknown-command', 0]);
    expect(await over(stream('n1', { type: 'runs' }))).toEqual(['invalid-message', 0]);
    expect(await over(stream('n1', { to: 3, wrong: true }))).toEqual(['internal', 3]);
    expect(await over(stream('n1', { type: 'large', bytes: 600_000 }))).toEqual(['done', 3]);
    expect(await over(stream('n1', { type: 'large', bytes: 17_000_000 }))).toEqual(['payload-too-large', 1]);
    const nobody = cluster.member('n1').system.unsafeRef<StreamRequest<{ readonly type: 'count' }, unknown>>('nexa:ticker/nobody');
    expect(await over(nobody.stream({ type: 'count' }, within))).toEqual(['no-such-actor', 0]);
    await expect(cluster.ask('n1', 'ticker/t', { type: 'count', to: 3 })).rejects.toMatchObject({
      code: 'invalid-message',
      definite: true,
      where: { answers: 'stream' },
    });
    expect(await cluster.ask('n1', 'ticker/t', { type: 'runs' })).toEqual({ runs: 1 });
  });

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`over a network that loses and repeats (seed ${seed})`, async () => {
      const { cluster, stream, world } = await ticking({ seed });
      await using _ = cluster;
      Object.assign(world.network.faults.link, { drop: seed % 2 === 0 ? 0.02 : 0.2, duplicate: 0.05 });
      const ends = new Map<string, number>();
      const all = Array.from({ length: 20 }, (_, n) =>
        reading(stream(n % 2 === 0 ? 'n1' : 'n3', { to: 200, stepMs: n % 3 }, { ...within, window: 1 + n * 5 })),
      );
      await world.run(60_000);
      for (const { end, items } of all) {
        expect(items).toEqual(numbers(items.length));
        expect(['done', 'stream-broken', 'ask-timeout']).toContain(end);
        if (end === 'done') expect(items).toHaveLength(200);
        ends.set(end as string, (ends.get(end as string) ?? 0) + 1);
      }
      expect(ends.get('stream-broken') ?? 0).toBeGreaterThan(0);
      Object.assign(world.network.faults.link, { drop: 0, duplicate: 0 });
      await world.run(60_000);
      expect(cluster.member('n2').system.streams.open).toBe(0);
      const calm = reading(stream('n1', { to: 50 }));
      await world.run(1_000);
      expect(calm.end).toBe('done');
    });
  }
});

type Script = StreamRequest<{ readonly type: 'go' }, number>;
test('M9: whatever the interleaving of pulls, leaving and failures, a stream is ended once and its items are a prefix in order', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant('pull' as const), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 4, arbitrary: fc.record({ what: fc.constant('give' as const), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('time' as const), count: fc.integer({ min: 1, max: 400 }) }) },
    fc.record({
      what: fc.constantFrom('return' as const, 'abort' as const, 'throw' as const, 'end' as const, 'stop' as const),
      count: fc.constant(0),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 30 }), async (window, script) => {
      await using world = kit();
      let given = 0;
      let wake: (() => void) | undefined;
      let ending: 'end' | 'throw' | undefined;
      const producer: Props<Script> = {
        behavior: () =>
          receive((context, message) =>
            context.replyStream(message, async function* () {
              for (let n = 0; ; n++) {
                while (n >= given && ending === undefined)
                  await new Promise<void>((resolve) => {
                    wake = resolve;
                  });
                if (n >= given && ending === 'throw') throw new Error('on purpose');
                if (n >= given) return;
                yield n;
              }
            }),
          ),
      };
      const ref: ActorRef<Script> = world.system.spawn(producer);
      const gaveUp = new AbortController();
      const iterator = ref.stream({ type: 'go' }, { idleTimeoutMs: 1_000, window, signal: gaveUp.signal })[Symbol.asyncIterator]();
      const items: number[] = [];
      const ends: string[] = [];
      for (const { what, count } of script) {
        if (what === 'give') given += count;
        else if (what === 'end' || what === 'throw') ending ??= what;
        else if (what === 'abort') gaveUp.abort();
        else if (what === 'stop') world.system.stopActor(ref);
        else if (what === 'return') void iterator.return?.();
        else if (what === 'time') await world.advance(count);
        else
          for (let n = 0; n < count; n++)
            void iterator.next().then(
              (result) => void (result.done === true ? ends.push('done') : items.push(result.value)),
              (error) => void ends.push((error as { readonly code: string }).code),
            );
        wake?.();
        await world.settle();
      }
      world.system.stopActor(ref);
      wake?.();
      await world.advance(60_000);
      await iterator.return?.();
      expect(items).toEqual(Array.from({ length: items.length }, (_, n) => n));
      expect(items.length).toBeLessThanOrEqual(given);
      // An error at most once, and nothing but `done` after it.
      expect(ends.filter((end) => end !== 'done').length).toBeLessThanOrEqual(1);
      expect(ends.slice(1).every((end) => end === 'done')).toBe(true);
      expect([world.system.streams.consumed, world.system.streams.open]).toEqual([0, 0]);
    }),
    { numRuns: 150 },
  );
});

test('M9: an ask that is given up is skipped by whoever has not begun it, on another node too', async () => {
  const seen: string[] = [];
  const cluster = await calmCluster({ relaunches: false, agents: [ticker(seen, () => cluster.world.clock)] });
  await using _ = cluster;
  const { world } = cluster;
  await cluster.spawn('counter', 'c', 'n2');
  world.network.faults.election(2_000);
  const first = cluster.asking('n1', 'counter/c', { type: 'add', by: 1 });
  const gaveUp = new AbortController();
  const ref = cluster.member('n1').system.unsafeRef<never>('nexa:counter/c') as unknown as {
    ask(message: object, options: object): Promise<unknown>;
  };
  const second = ref.ask({ type: 'add', by: 10 }, { timeoutMs: 30_000, signal: gaveUp.signal }).catch((error) => error.code);
  await world.run(100);
  gaveUp.abort();
  await world.run(6_000);
  expect(first.came).toEqual({ reply: { value: 1 } });
  expect(await second).toBe('cancelled');
  expect(await cluster.ask('n3', 'counter/c', { type: 'get' })).toEqual({ value: 1 });
});

describe('M9: what a program outside gives up, three steps away from the owner', () => {
  const chain = (seen: string[]) =>
    defineAgent({
      type: 'hop',
      version: 1,
      commands: { left: command({ via: z.array(z.string()) }, { reply: z.array(z.number()) }) },
      state: z.null(),
      initial: null,
      storage: 'memory',
    }).handle({
      async left(context, { via }) {
        const [next, ...rest] = via;
        const own = context.remainingMs() ?? -1;
        seen.push(`${context.id} begun`);
        await new Promise<void>((resolve) => void context.clock.after(150, resolve));
        if (next === undefined) return { reply: [own] };
        const further = context.agent(
          { type: 'hop', version: 1, commands: { left: command({ via: z.array(z.string()) }, { reply: z.array(z.number()) }) } },
          next,
        );
        return { reply: [own, ...(await further.ask({ type: 'left', via: rest }, { timeoutMs: 60_000 }))] };
      },
    });

  test('a deadline shrinks from one to the next, and none outlives it', async () => {
    const seen: string[] = [];
    const cluster = await calmCluster({ relaunches: false, drift: false, agents: [chain(seen)] });
    await using _ = cluster;
    for (const [id, node] of [
      ['a', 'n1'],
      ['b', 'n2'],
      ['c', 'n3'],
    ] as const)
      await cluster.spawn('hop', id, node);
    const { world } = cluster;
    const at = world.subjects.agent('hop', 'a');
    const answer = await world.until(world.outside.request(at, { type: 'left', via: ['b', 'c'] }, { timeoutMs: 2_000 }));
    const left = answer.reply as readonly number[];
    expect(left).toHaveLength(3);
    expect(left[0]).toBeLessThanOrEqual(2_000);
    expect(left[1]).toBeLessThanOrEqual((left[0] as number) - 150);
    expect(left[2]).toBeLessThanOrEqual((left[1] as number) - 150);
    seen.length = 0;
    const late = world.outside.request(at, { type: 'left', via: ['b', 'c'] }, { timeoutMs: 280 }).catch((error) => error.code);
    expect(await world.until(late)).toBe('ask-timeout');
    await world.run(5_000);
    expect(seen).toEqual(['a begun', 'b begun']);
  });

  test('an ask that waits at its owner is skipped when its asker outside gives it up', async () => {
    const cluster = await calmCluster({ relaunches: false });
    await using _ = cluster;
    const { world } = cluster;
    await cluster.spawn('counter', 'c', 'n2');
    // Whichever node takes it from outside, one of them is not the owner.
    for (let round = 0; round < 6; round++) {
      world.network.faults.election(1_000);
      const first = cluster.asking('n1', 'counter/c', { type: 'add', by: 1 });
      await world.run(20);
      const gaveUp = new AbortController();
      const asked = world.outside
        .request(world.subjects.agent('counter', 'c'), { type: 'add', by: 100 }, { timeoutMs: 30_000, signal: gaveUp.signal })
        .catch((error) => error.code);
      await world.run(100);
      gaveUp.abort();
      await world.run(5_000);
      expect([await asked, first.came]).toEqual(['cancelled', { reply: { value: round + 1 } }]);
    }
  });
});
