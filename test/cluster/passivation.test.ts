import { expect, test } from 'vitest';
import { z } from 'zod';
import type { RuntimeEvent } from '../../src/actor/events.ts';
import { command, streaming } from '../../src/agent/command.ts';
import { type AgentOptions, defineAgent } from '../../src/agent/define.ts';
import { calmCluster } from '../simulation/cluster.ts';

type Kind = AgentOptions['activation'];
interface Trace {
  readonly hooks: string[];
  go(): void;
}
/** Counts, and says what becomes of it. */
function tally(type: string, activation: Kind, storage: 'durable' | 'memory' = 'durable') {
  const waiting: (() => void)[] = [];
  const trace: Trace = { hooks: [], go: () => waiting.shift()?.() };
  const wait = (): Promise<void> => new Promise((resolve) => void waiting.push(resolve));
  const agent = defineAgent({
    type,
    version: 1,
    commands: {
      add: command({ by: z.int() }, { reply: z.object({ value: z.int(), epoch: z.int() }) }),
      hold: command({}, { reply: z.object({ value: z.int() }) }),
      piped: command({}, { reply: z.object({ value: z.int() }) }),
      arm: command({}),
      rest: command({ by: z.int() }, { reply: z.object({ value: z.int() }) }),
      numbers: streaming({}, { item: z.int() }),
    },
    state: z.object({ value: z.int() }),
    initial: { value: 0 },
    storage,
    ...(activation === undefined ? {} : { activation }),
  }).handle(
    {
      add: ({ state, epoch }, { by }) => ({ state: { value: state.value + by }, reply: { value: state.value + by, epoch } }),
      async hold({ state }) {
        await wait();
        return { reply: state };
      },
      piped(context) {
        const { replyTo, state } = context;
        context.pipe(wait, () => {
          replyTo.tell(state);
          return { type: 'arm' };
        });
        return { deferred: true };
      },
      arm(context) {
        context.after(3_000, { type: 'add', by: 100 });
      },
      rest: ({ state }, { by }) => ({ state: { value: state.value + by }, reply: { value: state.value + by }, next: 'passivate' }),
      numbers: () => ({
        async *stream() {
          for (let n = 1; n <= 3; n++) {
            await wait();
            yield n;
          }
        },
      }),
    },
    { started: ({ id }) => void trace.hooks.push(`${id} started`), stopping: ({ id }) => void trace.hooks.push(`${id} stopping`) },
  );
  return { agent, trace };
}
const TIME = { timeoutMs: 5_000 };
const IDLE = { onDemand: true, idleMs: 1_000 } as const;

/** One node, so that what is put away is here. */
async function one(kind: Kind = IDLE, storage: 'durable' | 'memory' = 'durable', mostActive?: number) {
  const { agent, trace } = tally('tally', kind, storage);
  const events: string[] = [];
  const cluster = await calmCluster({
    size: 1,
    agents: [agent],
    ...(mostActive === undefined ? {} : { mostActive }),
    onUp: (_node, member) =>
      member.system.events.subscribe((event: RuntimeEvent) => {
        if ('address' in event && event.address.kind === 'agent') events.push(`${event.event} ${event.address.id}`);
      }),
  });
  const states = async () => {
    const { agents } = await cluster.world.until(cluster.member('n1').agents.list({ limit: 100 }));
    return Object.fromEntries(agents.map(({ id, state }) => [id, state]));
  };
  return { ...cluster, cluster, trace, events, states, [Symbol.asyncDispose]: () => cluster.world.close() };
}

test('without a message for idleMs it is put away: it stops in order, keeps its record, and its next message goes on at the same epoch', async () => {
  await using world = await one();
  const first = await world.ask('n1', 'tally/a', { type: 'add', by: 2 });
  const place = world.member('n1').cluster.places.get('tally.a');
  await world.world.run(1_600);
  expect(await world.states()).toEqual({ a: 'passive' });
  expect(world.trace.hooks).toEqual(['a started', 'a stopping']);
  expect(world.member('n1').cluster.places.get('tally.a')).toEqual(place);
  expect(await world.ask('n1', 'tally/a', { type: 'add', by: 3 })).toEqual({ value: 5, epoch: (first as { epoch: number }).epoch });
  expect(world.events).toEqual(['activated a', 'passivated a', 'activated a']);
  expect(world.acting('tally.a')).toEqual(['n1']);
});

test('a message within idleMs puts it off, and one who is used all the time stays', async () => {
  await using world = await one();
  for (let round = 0; round < 10; round++) {
    await world.ask('n1', 'tally/a', { type: 'add', by: 1 });
    await world.world.run(700);
  }
  expect(world.events).toEqual(['activated a']);
});

test('a request that was handled before it was put away is still one effect when it is repeated after', async () => {
  await using world = await one();
  const once = { requestId: 'once' };
  const answer = await world.ask('n1', 'tally/a', { type: 'add', by: 2 }, once);
  await world.world.run(3_000);
  expect(await world.states()).toEqual({ a: 'passive' });
  expect(await world.ask('n1', 'tally/a', { type: 'add', by: 2 }, once)).toEqual(answer);
});

test.each(['hold', 'piped'])('while somebody waits for its answer (%s) it is not put away', async (type) => {
  await using world = await one();
  const asked = world.asking('n1', 'tally/a', { type }, { timeoutMs: 20_000 });
  await world.world.run(5_000);
  expect(await world.states()).toEqual({ a: 'running' });
  world.trace.go();
  await world.world.run(100);
  expect(asked.came).toEqual({ reply: { value: 0 } });
});

test('while it feeds a stream it is not put away', async () => {
  await using world = await one();
  const ref = world.member('n1').system.unsafeRef<never>('nexa:tally/a') as unknown as {
    stream(message: object, options: object): AsyncIterable<number>;
  };
  const items: number[] = [];
  const reading = (async () => {
    for await (const item of ref.stream({ type: 'numbers' }, { idleTimeoutMs: 30_000 })) items.push(item);
  })();
  for (let n = 0; n < 3; n++) {
    await world.world.run(3_000);
    expect(await world.states()).toEqual({ a: 'running' });
    world.trace.go();
  }
  await world.world.until(reading);
  expect(items).toEqual([1, 2, 3]);
  await world.world.run(3_000);
  expect(await world.states()).toEqual({ a: 'passive' });
});

test('its timers end with its memory', async () => {
  await using world = await one();
  await world.ask('n1', 'tally/a', { type: 'arm' });
  await world.world.run(10_000);
  expect(await world.states()).toEqual({ a: 'passive' });
  expect(await world.ask('n1', 'tally/a', { type: 'add', by: 1 })).toMatchObject({ value: 1 });
});

test("next: 'passivate' puts it away once the reply is out and nothing waits, whatever its type says", async () => {
  await using world = await one('spawned');
  await world.spawn('tally', 'a', 'n1');
  const asked = [1, 2, 3].map((by) => world.asking('n1', 'tally/a', { type: 'rest', by }));
  await world.world.until(Promise.all(asked.map(({ done }) => done)));
  expect(asked.map(({ came }) => came)).toEqual([{ reply: { value: 1 } }, { reply: { value: 3 } }, { reply: { value: 6 } }]);
  await world.world.run(500);
  expect(await world.states()).toEqual({ a: 'passive' });
  expect(await world.ask('n1', 'tally/a', { type: 'add', by: 1 })).toMatchObject({ value: 7 });
  await world.world.run(60_000);
  expect(await world.states()).toEqual({ a: 'running' });
});

test('beyond mostActive of its type the least recently used is put away', async () => {
  await using world = await one({ onDemand: true, mostActive: 3 });
  for (const id of ['a', 'b', 'c', 'a', 'd', 'c', 'e']) await world.ask('n1', `tally/${id}`, { type: 'add', by: 1 });
  await world.world.run(100);
  // b was used longest ago when d came, then a when e came.
  expect(await world.states()).toEqual({ a: 'passive', b: 'passive', c: 'running', d: 'running', e: 'running' });
  expect(await world.ask('n1', 'tally/b', { type: 'add', by: 1 })).toMatchObject({ value: 2 });
});

test('the node has a limit for all such types together; one that is busy is not put away for it', async () => {
  await using world = await one(IDLE, 'durable', 2);
  const held = world.asking('n1', 'tally/busy', { type: 'hold' }, { timeoutMs: 30_000 });
  for (const id of ['a', 'b', 'c']) await world.ask('n1', `tally/${id}`, { type: 'add', by: 1 });
  expect(await world.states()).toMatchObject({ busy: 'running', c: 'running', a: 'passive', b: 'passive' });
  world.trace.go();
  await world.world.until(held.done);
  expect(held.came).toEqual({ reply: { value: 0 } });
});

test('memory is put away only where the type says when, and then it is lost', async () => {
  await using kept = await one({ onDemand: true }, 'memory');
  await kept.ask('n1', 'tally/a', { type: 'add', by: 2 });
  await kept.world.run(3_600_000);
  expect(await kept.ask('n1', 'tally/a', { type: 'add', by: 2 })).toMatchObject({ value: 4 });

  await using lost = await one({ onDemand: true, idleMs: 1_000 }, 'memory');
  await lost.ask('n1', 'tally/a', { type: 'add', by: 2 });
  await lost.world.run(3_000);
  expect(await lost.ask('n1', 'tally/a', { type: 'add', by: 2 })).toMatchObject({ value: 2 });
});

test('messages that come while it is being put away wait, wake it again in their order, and none is lost', async () => {
  const waiting: (() => void)[] = [];
  const slow = defineAgent({
    type: 'slow',
    version: 1,
    commands: { add: command({ by: z.int() }, { reply: z.object({ list: z.array(z.int()) }) }) },
    state: z.object({ list: z.array(z.int()) }),
    initial: { list: [] },
    activation: IDLE,
  }).handle(
    {
      add: ({ state }, { by }) => {
        const next = { list: [...state.list, by] };
        return { state: next, reply: next };
      },
    },
    { stopping: () => new Promise<void>((resolve) => void waiting.push(resolve)) },
  );
  await using cluster = await calmCluster({ size: 1, agents: [slow] });
  const { world, ask, asking } = cluster;
  await ask('n1', 'slow/a', { type: 'add', by: 1 });
  await world.run(2_000);
  expect(waiting).toHaveLength(1);
  const asked = [2, 3, 4].map((by) => asking('n1', 'slow/a', { type: 'add', by }));
  await world.run(200);
  expect(asked.map(({ came }) => came)).toEqual([undefined, undefined, undefined]);
  waiting.shift()?.();
  await world.until(Promise.all(asked.map(({ done }) => done)));
  expect(asked.map(({ came }) => came)).toEqual([
    { reply: { list: [1, 2] } },
    { reply: { list: [1, 2, 3] } },
    { reply: { list: [1, 2, 3, 4] } },
  ]);
});

test('an agent that is put away is stopped, drained and lost as any other', async () => {
  const { agent } = tally('tally', IDLE);
  await using cluster = await calmCluster({ agents: [agent] });
  const { world, member, ask } = cluster;
  const at = async (id: string): Promise<{ readonly node: string | null; readonly state: string } | undefined> =>
    (await world.until(member('n1').agents.list({ type: 'tally', id, limit: 1 }))).agents[0];
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await ask('n1', `tally/${id}`, { type: 'add', by: 1 });
  await world.run(3_000);
  expect(await at('a')).toMatchObject({ state: 'passive' });
  await world.until(member('n2').agents.stop('tally', 'a', { forget: false, ...TIME }));
  expect(await at('a')).toMatchObject({ state: 'stopped' });
  await world.until(member('n3').cluster.drain({ timeoutMs: 5_000 }));
  world.crash('n2', 10);
  await world.run(4_000);
  for (const id of ['b', 'c', 'd', 'e', 'f']) {
    expect(await at(id)).toMatchObject({ node: 'n1', state: 'passive' });
    expect(await ask('n1', `tally/${id}`, { type: 'add', by: 1 })).toMatchObject({ value: 2 });
  }
});
