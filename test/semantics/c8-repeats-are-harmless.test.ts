import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { calmCluster } from '../simulation/cluster.ts';

const configured = defineAgent({
  type: 'configured',
  version: 1,
  commands: { get: command({}, { reply: z.object({ size: z.int() }) }) },
  config: z.object({ size: z.int() }),
  state: z.null(),
  initial: null,
}).handle({ get: ({ config }) => ({ reply: config }) });

const fallible = defineAgent({
  type: 'fallible',
  version: 1,
  commands: { end: command({}) },
  state: z.null(),
  initial: null,
  storage: 'memory',
}).handle(
  { end: () => ({ next: 'stop' }) },
  {
    started: () => {
      throw new Error('it never starts');
    },
  },
);

const TIME = { timeoutMs: 5_000 };

describe('C8: a spawn repeated under its spawn id creates nothing', () => {
  test('while the agent lives, from any node, with the present node and epoch', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    const first = await cluster.spawn('counter', 'a', 'n1', { spawnId: 's1' });
    expect(first).toMatchObject({ node: 'n1', created: true });
    for (const from of ['n1', 'n2', 'n3']) {
      const again = await world.until(member(from).agents.spawn({ type: 'counter', id: 'a', spawnId: 's1', ...TIME }));
      expect(again).toEqual({ ...first, created: false });
    }
    world.crash('n1', 10);
    await world.run(3_000);
    const moved = cluster.activated.at(-1);
    const again = await world.until(member('n2').agents.spawn({ type: 'counter', id: 'a', spawnId: 's1', ...TIME }));
    expect(again).toMatchObject({ node: moved?.node, epoch: moved?.epoch, created: false });
  });

  test('without an id one spawn id always names the same agent', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    const wish = { type: 'counter', spawnId: 'order-7', ...TIME };
    const answers = await world.until(Promise.all(['n1', 'n2', 'n3', 'n1'].map((from) => member(from).agents.spawn(wish))));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  });

  test('after its stop too, for an hour at least: node null, and it stays stopped', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    await cluster.spawn('counter', 'a', 'n1', { spawnId: 's1' });
    await world.until(member('n2').agents.stop('counter', 'a', { forget: false, ...TIME }));
    for (const laterMs of [0, 59 * 60_000]) {
      await world.run(laterMs);
      expect(await world.until(member('n3').agents.spawn({ type: 'counter', id: 'a', spawnId: 's1', ...TIME }))).toMatchObject({
        node: null,
        created: false,
      });
    }
    expect(cluster.acting('counter.a')).toEqual([]);
    await expect(cluster.ask('n1', 'counter/a', { type: 'get' })).rejects.toMatchObject({ code: 'no-such-actor', definite: true });
    expect(await cluster.spawn('counter', 'a', 'n2', { spawnId: 's2' })).toMatchObject({ node: 'n2', created: true });
  });

  test('at most one of many at once says that it created it', async () => {
    await using cluster = await calmCluster({ seed: 5 });
    const { world, member } = cluster;
    const wishes = [...Array(12).keys()].map((index) =>
      member(`n${1 + (index % 3)}`).agents.spawn({ type: 'counter', id: 'a', spawnId: 's1', ...TIME }),
    );
    const answers = await world.until(Promise.all(wishes));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ epoch }) => epoch)).size).toBe(1);
  });
});

describe('C8: without a spawn id the id decides', () => {
  test('running: created false; stopped: created again; a running one with another config: conflict', async () => {
    await using cluster = await calmCluster({ agents: [configured] });
    const { world, member } = cluster;
    expect(await cluster.spawn('configured', 'a', 'n1', { config: { size: 1 } })).toMatchObject({ created: true });
    const again = (size: number) => world.until(member('n3').agents.spawn({ type: 'configured', id: 'a', config: { size }, ...TIME }));
    expect(await again(1)).toMatchObject({ node: 'n1', created: false });
    await expect(again(2)).rejects.toMatchObject({ code: 'conflict', definite: true });
    await world.until(member('n2').agents.stop('configured', 'a', { forget: false, ...TIME }));
    await world.until(member('n2').agents.stop('configured', 'a', { forget: false, ...TIME }));
    expect(await again(2)).toMatchObject({ created: true });
    expect(await cluster.ask('n1', 'configured/a', { type: 'get' })).toEqual({ size: 2 });
  });

  test('an agent that cannot start says so to who spawned it, and is quarantined', async () => {
    await using cluster = await calmCluster({ agents: [fallible] });
    const { world, member } = cluster;
    const spawned = member('n1').agents.spawn({ type: 'fallible', id: 'f', placement: { node: 'n1' }, timeoutMs: 60_000 });
    await expect(world.until(spawned)).rejects.toMatchObject({ message: expect.stringContaining('it never starts') });
    await world.run(2_000);
    await expect(cluster.ask('n2', 'fallible/f', { type: 'end' })).rejects.toMatchObject({ code: 'quarantined' });
  });

  test('a temporary agent that cannot start is stopped, and nobody waits for it', async () => {
    await using cluster = await calmCluster({ agents: [fallible] });
    const { world, member } = cluster;
    const wish = { type: 'fallible', id: 'f', restart: 'temporary', placement: { node: 'n1' }, timeoutMs: 60_000 } as const;
    await expect(world.until(member('n1').agents.spawn(wish))).rejects.toMatchObject({
      message: expect.stringContaining('it never starts'),
    });
    await world.run(2_000);
    expect(member('n2').cluster.places.get('fallible.f')?.value).toMatchObject({ desired: 'stopped', owner: undefined });
  });
});

describe('C8: a request repeated with one request id has one effect on a durable agent', () => {
  test('also when its owner changes between the request and its repeat, and the answer is the same', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    await cluster.spawn('counter', 'a', 'n1');
    const add = { type: 'add', by: 3 };
    const once = { requestId: 'r1' };
    expect(await cluster.ask('n2', 'counter/a', add, once)).toEqual({ value: 3 });
    expect(await cluster.ask('n1', 'counter/a', add, once)).toEqual({ value: 3 });
    expect(await cluster.ask('n2', 'counter/a', add, { requestId: 'r2' })).toEqual({ value: 6 });
    world.crash('n1', 10);
    await world.run(3_000);
    expect(await cluster.ask('n3', 'counter/a', add, once)).toEqual({ value: 3 });
    expect(await cluster.ask('n3', 'counter/a', { type: 'get' })).toEqual({ value: 6 });
  });

  test('a repeat while the first is under way joins it', async () => {
    await using cluster = await calmCluster({ faults: { store: { delayMs: [200, 200] } } });
    const { world } = cluster;
    await cluster.spawn('counter', 'a', 'n1');
    const asked = ['n1', 'n2', 'n3', 'n2'].map((from) => cluster.asking(from, 'counter/a', { type: 'add', by: 3 }, { requestId: 'r1' }));
    await world.run(3_000);
    expect(asked.map(({ came }) => came)).toEqual(Array(4).fill({ reply: { value: 3 } }));
  });

  test('the last 256 are remembered, through a failover', async () => {
    await using cluster = await calmCluster();
    const { world } = cluster;
    await cluster.spawn('counter', 'a', 'n1');
    for (let index = 0; index < 300; index++) await cluster.ask('n2', 'counter/a', { type: 'add', by: 1 }, { requestId: `r${index}` });
    world.crash('n1', 10);
    await world.run(3_000);
    for (let index = 299; index >= 44; index -= 15) {
      expect(await cluster.ask('n2', 'counter/a', { type: 'add', by: 1 }, { requestId: `r${index}` })).toEqual({ value: index + 1 });
    }
    expect(await cluster.ask('n2', 'counter/a', { type: 'get' })).toEqual({ value: 300 });
  });

  test('what has no request id takes the place of none that has', async () => {
    await using cluster = await calmCluster();
    await cluster.spawn('counter', 'a', 'n1');
    const once = { requestId: 'r1' };
    expect(await cluster.ask('n2', 'counter/a', { type: 'add', by: 1 }, once)).toEqual({ value: 1 });
    for (let index = 0; index < 300; index++) await cluster.ask('n2', 'counter/a', { type: 'add', by: 1 });
    expect(await cluster.ask('n3', 'counter/a', { type: 'add', by: 1 }, once)).toEqual({ value: 1 });
    expect(await cluster.ask('n2', 'counter/a', { type: 'get' })).toEqual({ value: 301 });
  });
});
