import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RuntimeEvent } from '../../src/actor/events.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { ADMISSION, type AdmissionLevel, nextLevel } from '../../src/cluster/admission.ts';
import type { NexaError } from '../../src/errors.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** Never put away by time. */
const lazy = defineAgent({
  type: 'lazy',
  version: 1,
  commands: { add: command({}, { reply: z.object({ value: z.int() }) }) },
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
  activation: { onDemand: true, idleMs: 86_400_000 },
}).handle({ add: ({ state }) => ({ state: { value: state.value + 1 }, reply: { value: state.value + 1 } }) });

/** Nodes whose memory is as full as the test says. */
async function filled(size: number, more: Parameters<typeof calmCluster>[0] = {}) {
  const share = new Map<string, number>();
  const told: Extract<RuntimeEvent, { event: 'admission' }>[] = [];
  const cluster = await calmCluster({
    size,
    agents: [lazy],
    memoryOf: (name) => ({ heapBytes: (share.get(name) ?? 0) * 1_000, heapLimitBytes: 1_000, rssBytes: 1, memoryLimitBytes: 1_000 }),
    onUp: (_node, { system }) =>
      system.events.subscribe((event) => {
        if (event.event === 'admission') told.push(event);
      }),
    ...more,
  });
  const { world, member } = cluster;
  return {
    ...{ ...cluster, cluster, told },
    /** From now on so full, seen by everybody. */
    async fill(name: string, used: number): Promise<void> {
      share.set(name, used);
      await world.run(1_000);
    },
    fillNow: (name: string, used: number) => void share.set(name, used),
    levelOf: (name: string): AdmissionLevel => member(name).cluster.admission.level,
    spawned: (id: string, from = 'n1', placement?: object, type = 'counter') =>
      world
        .until(member(from).agents.spawn({ type, id, timeoutMs: 5_000, ...(placement === undefined ? {} : { placement }) }))
        .catch((error: NexaError) => error),
    views: async (type: string) => (await world.until(member('n1').agents.list({ type, limit: 100 }))).agents,
    [Symbol.asyncDispose]: () => world.close(),
  };
}

describe('what a node does about its memory', () => {
  const limits = { ...ADMISSION, memoryHigh: 0.8, memoryLow: 0.6 };
  test.each<[AdmissionLevel, number, AdmissionLevel]>([
    ['open', 0.79, 'open'],
    ['open', 0.8, 'relieving'],
    ['relieving', 0.8, 'closed'],
    ['relieving', 0.79, 'relieving'],
    ['relieving', 0.6, 'relieving'],
    ['relieving', 0.59, 'open'],
    ['closed', 0.79, 'closed'],
    ['closed', 0.59, 'open'],
    ['closed', 0.86, 'closed'],
    ['open', 0.87, 'shedding'],
    ['closed', 0.87, 'shedding'],
    ['shedding', 0.8, 'shedding'],
    ['shedding', 0.79, 'closed'],
    ['shedding', 0.59, 'open'],
  ])('%s at %d: %s', (level, share, next) => expect(nextLevel(level, share, limits)).toBe(next));
});

test('a node that uses too much memory puts idle agents away first, and only then takes no more', async () => {
  await using world = await filled(1);
  for (let n = 0; n < 3; n++) await world.ask('n1', `lazy/${n}`, { type: 'add' });
  world.fillNow('n1', 0.86);
  await world.world.run(100);
  expect([world.levelOf('n1'), (await world.views('lazy')).map(({ state }) => state)]).toEqual([
    'relieving',
    ['passive', 'passive', 'passive'],
  ]);
  expect(await world.spawned('first')).toMatchObject({ created: true });
  await world.fill('n1', 0.76);
  expect(world.levelOf('n1')).toBe('relieving');
  await world.fill('n1', 0.74);
  expect(world.told.map(({ level, before }) => `${before} ${level}`)).toEqual(['open relieving', 'relieving open']);
  // What is put away is as it was.
  expect(await world.ask('n1', 'lazy/0', { type: 'add' })).toEqual({ value: 2 });
});

test('one whose memory stays full takes no new agents, says so, and is avoided; what runs there runs on', async () => {
  await using world = await filled(2);
  await world.spawn('counter', 'old', 'n1');
  await world.fill('n1', 0.88);
  expect(world.levelOf('n1')).toBe('closed');
  expect(world.member('n2').cluster.members.find('n1')?.admits).toBe(false);
  for (let n = 0; n < 10; n++) expect(await world.spawned(`${n}`, 'n1')).toMatchObject({ node: 'n2' });
  expect(await world.ask('n2', 'counter/old', { type: 'add', by: 2 })).toEqual({ value: 2 });
  const refused = (await world.spawned('named', 'n2', { node: 'n1' })) as NexaError;
  expect(refused).toMatchObject({
    code: 'overloaded',
    retryable: true,
    definite: true,
    where: { node: 'n1', limit: '85 %', present: '88 %' },
    fix: 'Repeat it with a pause, start another node, or give this one more memory.',
  });
  // A repeat for what is there already is answered.
  expect(await world.spawned('old', 'n2', { node: 'n1' })).toMatchObject({ node: 'n1', created: false });
  await world.fill('n1', 0.8);
  expect(world.levelOf('n1')).toBe('closed');
  await world.fill('n1', 0.7);
  expect(await world.spawned('named', 'n2', { node: 'n1' })).toMatchObject({ node: 'n1', created: true });
});

test('with no memory left its agents take no messages either: typed, definite, and over with the need', async () => {
  await using world = await filled(2);
  await world.spawn('counter', 'a', 'n1');
  await world.fill('n1', 0.95);
  expect(world.levelOf('n1')).toBe('shedding');
  await expect(world.ask('n2', 'counter/a', { type: 'add', by: 1 })).rejects.toMatchObject({ code: 'overloaded', definite: true });
  await expect(world.ask('n1', 'counter/a', { type: 'add', by: 1 })).rejects.toMatchObject({ code: 'overloaded', definite: true });
  world.member('n2').system.unsafeRef('nexa:counter/a').tell({ type: 'add', by: 1 });
  await world.world.run(100);
  expect(world.member('n1').system.deadLetters.counts).toEqual({ overloaded: 1 });
  await world.fill('n1', 0.8);
  expect(await world.ask('n2', 'counter/a', { type: 'add', by: 5 })).toEqual({ value: 5 });
});

test('a flood between two looks is noticed by its messages', async () => {
  await using world = await filled(1);
  await world.spawn('counter', 'a', 'n1');
  await world.world.run(1_000);
  world.fillNow('n1', 0.95);
  const counter = world.member('n1').system.unsafeRef('nexa:counter/a');
  for (let n = 0; n < 200; n++) counter.tell({ type: 'add', by: 1 });
  expect(world.levelOf('n1')).toBe('shedding');
  await world.world.run(1);
  expect(world.member('n1').system.deadLetters.counts.overloaded).toBeGreaterThan(100);
});

test('strangers are refused while it sheds, and served again after it', async () => {
  await using world = await filled(1);
  await world.spawn('counter', 'a', 'n1');
  await world.fill('n1', 0.95);
  const { world: sim } = world;
  const asked = sim.outside.request(sim.subjects.agent('counter', 'a'), { type: 'get' }, { timeoutMs: 5_000 });
  await expect(sim.until(asked)).rejects.toMatchObject({ code: 'overloaded', definite: true });
  sim.outside.send(sim.subjects.agent('counter', 'a'), { type: 'add', by: 1 });
  await world.fill('n1', 0.5);
  expect(await sim.until(sim.outside.request(sim.subjects.agent('counter', 'a'), { type: 'get' }, { timeoutMs: 5_000 }))).toMatchObject({
    reply: { value: 0 },
  });
});

test('it has its most agents, to the last one, however many come at once', async () => {
  await using world = await filled(1, { admission: { maxAgents: 5 } });
  const spawned = await Promise.all([...Array(20).keys()].map((n) => world.spawned(`${n}`, 'n1', { node: 'n1' })));
  expect(spawned.filter((each) => !('code' in each))).toHaveLength(5);
  expect(world.member('n1').cluster.locals.count).toBe(5);
  const refused = spawned.find((each) => 'code' in each) as NexaError;
  expect(refused).toMatchObject({ code: 'overloaded', where: { node: 'n1', limit: '5 agents', present: '5 agents' } });
  const anywhere = (await world.spawned('more', 'n1')) as NexaError;
  expect(anywhere).toMatchObject({ code: 'unavailable', definite: true, message: 'node n1 takes no more agents, and no other may' });
  const [stopped] = await world.views('counter');
  await world.world.until(world.member('n1').agents.stop('counter', stopped?.id ?? '', { forget: true, timeoutMs: 5_000 }));
  expect(await world.spawned('more', 'n1')).toMatchObject({ created: true });
});

test('what a lost node had goes to those that have room; what finds none is unplaced, and returns when there is', async () => {
  await using world = await filled(3, { admission: { maxAgents: 4 }, relaunches: false });
  for (let n = 0; n < 4; n++)
    for (const node of ['n1', 'n2', 'n3']) if (n < 2 || node === 'n3') await world.spawn('counter', `${node}-${n}`, node);
  await world.fill('n2', 0.88);
  world.world.crash('n3', 100);
  await world.world.run(15_000);
  const views = await world.views('counter');
  const placed = views.filter(({ id, node, state }) => id.startsWith('n3') && node === 'n1' && state === 'running');
  const nowhere = views.filter(({ state }) => state === 'unplaced');
  expect([placed.length, nowhere.length, world.member('n1').cluster.locals.count]).toEqual([2, 2, 4]);
  expect([world.member('n1').cluster.unplaced, world.member('n2').cluster.unplaced]).toEqual([2, 2]);
  expect(nowhere[0]?.why).toBe('2 nodes take no more agents, and no other may');
  await world.fill('n2', 0.5);
  await world.world.run(5_000);
  expect((await world.views('counter')).every(({ state }) => state === 'running')).toBe(true);
});

test('a full node gives to those that carry less', async () => {
  await using world = await filled(1, { admission: { maxAgents: 40 } });
  for (let n = 0; n < 40; n++) await world.spawned(`${n}`);
  await world.fill('n1', 0.88);
  await world.world.until(world.world.start('n2'));
  await world.world.run(20_000);
  expect(world.member('n1').cluster.admits).toBe(false);
  expect(world.member('n2').cluster.locals.count).toBeGreaterThan(15);
});
