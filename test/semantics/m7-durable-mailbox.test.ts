import { expect, test } from 'vitest';
import { z } from 'zod';
import { command, defineAgent, defineEventSourced } from '../../index.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { ledger, read, tell, telling, write } from '../simulation/ledgers.ts';

const entries = (count: number): string[] => [...Array(count).keys()].map((index) => `e${index}`);
const left = async ({ world }: Awaited<ReturnType<typeof calmCluster>>) =>
  Object.fromEntries(
    await world.until(
      world.network
        .connect('looker')
        .stores.stream(world.subjects.store('MAILBOX'))
        .subjects(world.subjects.recordAll('mailbox'), { timeoutMs: 1_000 }),
    ),
  );

test('M7: what is told durably from any node is handled once and in the order stored, and nothing is left of it', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  for (const [index, entry] of entries(9).entries()) await write(cluster, `n${(index % 3) + 1}`, 'ledger/a', entry);
  await cluster.world.run(1_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(entries(9));
  expect(await left(cluster)).toEqual({});
});

test('M7: a repeat under one id is the same message, before it is handled, after, and after a new owner', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  for (const entry of ['one', 'again']) await write(cluster, 'n2', 'ledger/a', entry, 'm1');
  await cluster.world.run(200_000);
  await write(cluster, 'n3', 'ledger/a', 'beyond the window of the stream', 'm1');
  cluster.world.crash('n1', 50);
  await cluster.world.run(130_000);
  await write(cluster, 'n3', 'ledger/a', 'after a failover', 'm1');
  await write(cluster, 'n3', 'ledger/a', 'two', 'm2');
  await cluster.world.run(1_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one', 'two']);
  expect(await left(cluster)).toEqual({});
});

test('M7: the new owner goes on from where the lost one was', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  const told = entries(40);
  const done = Promise.all(
    told.map(async (entry, index) => {
      await new Promise<void>((resolve) => void cluster.world.clock.after(index * 20, resolve));
      await telling(cluster.member('n2'), 'ledger/a', { type: 'write', entry }, { messageId: entry });
    }),
  );
  await cluster.world.run(300);
  cluster.world.crash('n1', 50);
  await cluster.world.until(done);
  await cluster.world.run(5_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(told);
});

test('M7: an agent that was put away is woken for it, wherever its place then is', async () => {
  const { agent } = ledger('ledger', { activation: { idleMs: 500 } });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await cluster.world.run(3_000);
  expect(cluster.acting('ledger.a')).toEqual([]);
  await write(cluster, 'n2', 'ledger/a', 'one');
  await cluster.world.run(200);
  expect(cluster.acting('ledger.a')).toEqual(['n1']);
  await cluster.world.run(3_000);
  expect(cluster.acting('ledger.a')).toEqual([]);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
});

test('M7: one that waits in the stream alone, whose wake-up was lost, is found by the round', async () => {
  const { agent } = ledger('ledger', { activation: { onDemand: true, idleMs: 500 } });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await cluster.world.run(3_000);
  cluster.world.network.faults.setLink('n2', 'n1', { drop: 1 });
  await write(cluster, 'n2', 'ledger/a', 'one');
  await cluster.world.run(1_000);
  expect(cluster.acting('ledger.a')).toEqual([]);
  cluster.world.network.faults.setLink('n2', 'n1', undefined);
  await cluster.world.run(15_000);
  expect(await left(cluster)).toEqual({});
  expect(await read(cluster, 'n3', 'ledger/a')).toEqual(['one']);
});

test('M7: an agent on demand that was put away and lost its node handles what waits without being asked', async () => {
  const { agent } = ledger('ledger', { activation: { onDemand: true, idleMs: 500 } });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await cluster.world.run(3_000);
  cluster.world.network.faults.setLink('n2', 'n1', { drop: 1 });
  await write(cluster, 'n2', 'ledger/a', 'one');
  cluster.world.crash('n1', 50);
  await cluster.world.run(3_000);
  expect(await left(cluster)).toEqual({});
});

test('M7: storing spawns an agent of an on-demand type; another one has to be there, and to be running', async () => {
  const { agent } = ledger('cart', { activation: { onDemand: true } });
  const { agent: plain } = ledger('plain');
  await using cluster = await calmCluster({ agents: [agent, plain] });
  await write(cluster, 'n2', 'cart/new', 'one');
  await cluster.world.run(500);
  expect(await read(cluster, 'n1', 'cart/new')).toEqual(['one']);
  await expect(write(cluster, 'n2', 'plain/nobody', 'one')).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
  await cluster.spawn('plain', 'a', 'n1');
  await cluster.world.until(cluster.member('n2').agents.stop('plain', 'a', { forget: false, timeoutMs: 5_000 }));
  await expect(write(cluster, 'n2', 'plain/a', 'one')).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
  await expect(write(cluster, 'n2', 'nothing/a', 'one')).rejects.toMatchObject({ code: 'unknown-type', definite: true });
});

test('M7: what would never be handled is refused before it is stored', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  const refused = async (message: object, options: object, code: string) =>
    expect(tell(cluster, 'n2', 'ledger/a', message, options)).rejects.toMatchObject({ code, definite: true });
  await refused({ type: 'write', entry: 7 }, {}, 'invalid-message');
  await refused({ type: 'erase' }, {}, 'unknown-command');
  await refused({ type: 'write', entry: 'x'.repeat(600_000) }, {}, 'payload-too-large');
  for (const messageId of ['', 'a b', 'x'.repeat(65), 'ä', 7])
    await refused({ type: 'write', entry: 'x' }, { messageId }, 'invalid-message');
  for (const timeoutMs of [0, -1, Number.NaN, 600_001, undefined])
    await refused({ type: 'write', entry: 'x' }, { timeoutMs }, 'invalid-message');
  expect(await left(cluster)).toEqual({});
});

test('M7: a refusal is an answer: it is handled, and changes nothing', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await tell(cluster, 'n2', 'ledger/a', { type: 'deny' });
  await write(cluster, 'n2', 'ledger/a', 'one');
  await cluster.world.run(500);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
  expect(cluster.member('n1').system.deadLetters.count).toBe(0);
});

test('M7: a message that fails is tried again and again, then put aside, and those behind it are handled', async () => {
  const { agent, tried } = ledger('ledger', { limits: { tries: 3 } });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await tell(cluster, 'n2', 'ledger/a', { type: 'fail', entry: 'poison' }, { messageId: 'p' });
  await write(cluster, 'n2', 'ledger/a', 'one');
  await cluster.world.run(30_000);
  expect(tried).toEqual(['poison', 'poison', 'poison', 'one']);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
  const { dead } = await cluster.world.until(cluster.member('n3').cluster.mail.dead.list({ limit: 10 }));
  expect(dead).toMatchObject([
    { type: 'ledger', id: 'a', messageId: 'p', command: 'fail', tries: 3, error: { code: 'crashed', message: 'poison cannot be written' } },
  ]);
  const { system } = cluster.member('n1');
  expect(system.deadLetters.count).toBe(1);
  // The same message again is the one that was put aside.
  await tell(cluster, 'n2', 'ledger/a', { type: 'fail', entry: 'poison' }, { messageId: 'p' });
  await cluster.world.run(5_000);
  expect(tried).toHaveLength(4);
});

test('M7: an unknown outcome is said to be one, with the id to repeat it under; the repeat is stored once', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  Object.assign(cluster.world.network.faults.store, { unknownApplied: 1 });
  const told = telling(cluster.member('n2'), 'ledger/a', { type: 'write', entry: 'one' }, { timeoutMs: 900 });
  const error = await cluster.world.until(
    told.then(
      () => undefined,
      (thrown) => thrown,
    ),
  );
  expect(error).toMatchObject({ code: 'unavailable', definite: false, retryable: true, where: { messageId: expect.any(String) } });
  Object.assign(cluster.world.network.faults.store, { unknownApplied: 0 });
  await cluster.world.run(10_000);
  await write(cluster, 'n3', 'ledger/a', 'one', error.where.messageId);
  await cluster.world.run(1_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
});

test('M7: without durable state a message is handled at least once', async () => {
  const { agent, tried } = ledger('memory', { storage: 'memory' });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('memory', 'a', 'n1');
  for (const entry of entries(3)) await write(cluster, 'n2', 'memory/a', entry);
  await cluster.world.run(1_000);
  expect(tried).toEqual(entries(3));
  expect(await left(cluster)).toEqual({});
});

test('M7: what is stored outlives a stop, and goes with the state of an agent that is forgotten', async () => {
  const { agent } = ledger('ledger', { limits: { tries: 1_000 } });
  await using cluster = await calmCluster({ agents: [agent] });
  const stop = (forget: boolean) => cluster.world.until(cluster.member('n2').agents.stop('ledger', 'a', { forget, timeoutMs: 5_000 }));
  await cluster.spawn('ledger', 'a', 'n1');
  await tell(cluster, 'n2', 'ledger/a', { type: 'fail', entry: 'stuck' });
  await write(cluster, 'n2', 'ledger/a', 'behind');
  await stop(false);
  expect(Object.values(await left(cluster))).toEqual([2]);
  await cluster.spawn('ledger', 'a', 'n3');
  await stop(true);
  expect(await left(cluster)).toEqual({});
  await cluster.spawn('ledger', 'a', 'n3');
  await write(cluster, 'n2', 'ledger/a', 'anew');
  await cluster.world.run(1_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['anew']);
});

test('M7: what was handled and could not be deleted is deleted when it is found, and nobody is woken for it again and again', async () => {
  const { agent } = ledger('ledger', { activation: { onDemand: true, idleMs: 500 } });
  let lost = true;
  const losing = (connection: MemoryConnection): MemoryConnection => ({
    ...connection,
    stores: {
      ...connection.stores,
      stream: (name) => {
        const stream = connection.stores.stream(name);
        return { ...stream, purge: async (...given) => (lost ? 'unknown' : stream.purge(...given)) };
      },
    },
  });
  await using cluster = await calmCluster({ agents: [agent], wrap: (_name, connection) => losing(connection) });
  await cluster.spawn('ledger', 'a', 'n1');
  await write(cluster, 'n2', 'ledger/a', 'one');
  await cluster.world.run(20_000);
  expect(Object.values(await left(cluster))).toEqual([1]);
  lost = false;
  await cluster.world.run(20_000);
  expect(await left(cluster)).toEqual({});
  const woken = cluster.activated.length;
  await cluster.world.run(60_000);
  expect(cluster.activated.length).toBe(woken);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
});

test('M7: an id is remembered among the last thousand', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  for (let from = 0; from < 1_001; from += 77)
    await cluster.world.until(
      Promise.all(
        [...Array(77).keys()].map((index) =>
          telling(cluster.member('n2'), 'ledger/a', { type: 'write', entry: '' }, { messageId: `m${from + index}` }),
        ),
      ),
    );
  await cluster.world.run(180_000);
  await write(cluster, 'n2', 'ledger/a', 'known', 'm1');
  await write(cluster, 'n2', 'ledger/a', 'forgotten', 'm0');
  await cluster.world.run(1_000);
  const written = await read(cluster, 'n2', 'ledger/a');
  expect(written).toHaveLength(1_002);
  expect(written.at(-1)).toBe('forgotten');
});

test.each(['state', 'events'] as const)(
  'M7: a message that ends every process that handles it is put aside too, and those behind it go on: %s',
  async (kind) => {
    let handled = 0;
    const lost: string[] = [];
    const spec = {
      ...({ type: 'victim', version: 1, limits: { tries: 3 } } as const),
      initial: { seen: [] as string[] },
      commands: { write: command({ entry: z.string() }), read: command({}, { reply: z.array(z.string()) }) },
      state: z.object({ seen: z.array(z.string()) }),
    };
    const write = (entry: string): Promise<void> | undefined => {
      const [node] = cluster.acting('victim.a');
      if (entry !== 'killer' || node === undefined) return undefined;
      handled++;
      lost.push(node);
      cluster.world.crash(node, 50);
      cluster.world.relaunch(node, 500);
      return new Promise(() => undefined);
    };
    const agent =
      kind === 'state'
        ? defineAgent(spec).handle({
            write: async ({ state }, { entry }) => {
              await write(entry);
              return { state: { seen: [...state.seen, entry] } };
            },
            read: ({ state }) => ({ reply: state.seen }),
          })
        : defineEventSourced({ ...spec, events: { seen: { entry: z.string() } } })
            .apply({ seen: (state, { entry }) => ({ seen: [...state.seen, entry] }) })
            .handle({
              write: async (_context, { entry }) => {
                await write(entry);
                return { events: [{ type: 'seen', entry }] };
              },
              read: ({ state }) => ({ reply: state.seen }),
            });
    await using cluster = await calmCluster({ agents: [agent] });
    await cluster.spawn('victim', 'a', 'n1');
    for (const [index, entry] of ['before', 'killer', 'after'].entries())
      await tell(cluster, `n${(index % 2) + 2}`, 'victim/a', { type: 'write', entry }, { messageId: entry });
    await cluster.world.run(60_000);
    expect(await read(cluster, lost.at(-1) === 'n1' ? 'n2' : 'n1', 'victim/a')).toEqual(['before', 'after']);
    // Once behind another message, and then as often as it may be tried by owners that find it first.
    expect(handled).toBe(4);
    expect(await left(cluster)).toEqual({});
  },
);
