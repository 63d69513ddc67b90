import { expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { calmCluster } from '../simulation/cluster.ts';

const cart = defineAgent({
  type: 'cart',
  version: 1,
  commands: {
    add: command({ by: z.int() }, { reply: z.object({ value: z.int() }) }),
    get: command({}, { reply: z.object({ value: z.int(), size: z.int() }) }),
    end: command({}),
    fail: command({}),
  },
  config: z.object({ size: z.int().default(7) }),
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
  activation: { onDemand: true },
}).handle({
  add: ({ state }, { by }) => ({ state: { value: state.value + by }, reply: { value: state.value + by } }),
  get: ({ state, config }) => ({ reply: { value: state.value, size: config.size } }),
  end: () => ({ next: 'stop' }),
  fail: () => {
    throw new Error('it cannot');
  },
});
/** Only n3 has the label. */
const labelled = defineAgent({
  type: 'labelled',
  version: 1,
  commands: { where: command({}, { reply: z.object({ epoch: z.int() }) }) },
  state: z.null(),
  initial: null,
  placement: { labels: { zone: 'c' } },
  activation: { onDemand: true },
}).handle({ where: ({ epoch }) => ({ reply: { epoch } }) });
const plain = defineAgent({ type: 'plain', version: 1, commands: { get: command({}) }, state: z.null(), initial: null }).handle({
  get: () => undefined,
});

const cluster3 = () => calmCluster({ agents: [cart, labelled, plain], labels: { n3: { zone: 'c' } } });
const rows = async ({ world, member }: Awaited<ReturnType<typeof cluster3>>, type: string) =>
  (await world.until(member('n1').agents.list({ type, limit: 100 }))).agents;

test('the first ask to an unknown id spawns the agent with the configuration that is all defaults', async () => {
  await using cluster = await cluster3();
  expect(await cluster.ask('n1', 'cart/a', { type: 'get' })).toEqual({ value: 0, size: 7 });
  expect(await rows(cluster, 'cart')).toMatchObject([{ id: 'a', state: 'running', why: 'its first message' }]);
});

test('first messages from all nodes at once make one agent, and each of them takes effect', async () => {
  await using cluster = await cluster3();
  const { world, asking, ask, activated } = cluster;
  const asked = [...Array(12).keys()].map((index) => asking(`n${(index % 3) + 1}`, 'cart/a', { type: 'add', by: 1 }));
  await world.until(Promise.all(asked.map(({ done }) => done)));
  expect(asked.map(({ came }) => came).filter((came) => came !== undefined && 'error' in came)).toEqual([]);
  expect(await ask('n2', 'cart/a', { type: 'get' })).toEqual({ value: 12, size: 7 });
  expect(activated.filter(({ agent }) => agent === 'cart/a')).toHaveLength(1);
});

test('a told first message is not lost, and those behind it keep their order', async () => {
  await using cluster = await cluster3();
  const { world, member, ask } = cluster;
  const ref = member('n1').system.unsafeRef<{ readonly type: 'add'; readonly by: number }>('nexa:cart/told');
  for (const by of [1, 2, 3, 4]) ref.tell({ type: 'add', by });
  await world.run(1_000);
  expect(await ask('n2', 'cart/told', { type: 'get' })).toMatchObject({ value: 10 });
  expect(member('n1').system.deadLetters.count).toBe(0);
});

test('a message of any NATS client on the public subject spawns it as well', async () => {
  await using cluster = await cluster3();
  const { world } = cluster;
  const answer = await world.until(world.outside.request(world.subjects.agent('cart', 'b'), { type: 'add', by: 5 }, { timeoutMs: 5_000 }));
  expect(answer.reply).toEqual({ value: 5 });
});

test('it is placed as its type says, also when the message comes from a node that does not run the type', async () => {
  await using cluster = await calmCluster({
    labels: { n3: { zone: 'c' } },
    definitionsOf: (name) => (name === 'n1' ? [plain] : [labelled, plain]),
  });
  await cluster.ask('n1', 'labelled/a', { type: 'where' });
  expect(await rows(cluster, 'labelled')).toMatchObject([{ id: 'a', node: 'n3' }]);
  const asked = cluster.asking('n1', 'nobody-runs-this/a', { type: 'get' });
  await cluster.world.until(asked.done);
  expect(asked.came).toMatchObject({ error: { code: 'no-such-actor' } });
});

test('when nobody may take it the message is refused with what is missing, and nothing is left behind', async () => {
  await using cluster = await cluster3();
  const { world, asking } = cluster;
  world.crash('n3', 10);
  await world.run(3_000);
  const asked = asking('n1', 'labelled/a', { type: 'where' });
  await world.until(asked.done);
  expect(asked.came).toMatchObject({ error: { code: 'unavailable', definite: true, where: { 'label zone': 'c' } } });
  expect(await rows(cluster, 'labelled')).toEqual([]);
});

test('an agent of a spawned type is not spawned by a message', async () => {
  await using cluster = await cluster3();
  const asked = cluster.asking('n1', 'plain/a', { type: 'get' });
  await cluster.world.until(asked.done);
  expect(asked.came).toMatchObject({ error: { code: 'no-such-actor', definite: true } });
});

test('stopped, by itself or by an operator, it is spawned again by its next message with its state; quarantined it is not', async () => {
  await using cluster = await cluster3();
  const { world, member, ask, asking } = cluster;
  await ask('n1', 'cart/a', { type: 'add', by: 3 });
  await ask('n1', 'cart/a', { type: 'end' });
  await world.run(1_000);
  expect(await rows(cluster, 'cart')).toMatchObject([{ state: 'stopped' }]);
  expect(await ask('n2', 'cart/a', { type: 'get' })).toMatchObject({ value: 3 });
  await world.until(member('n3').agents.stop('cart', 'a', { forget: false, timeoutMs: 5_000 }));
  expect(await ask('n1', 'cart/a', { type: 'get' })).toMatchObject({ value: 3 });
  await world.until(member('n3').agents.stop('cart', 'a', { forget: true, timeoutMs: 5_000 }));
  expect(await ask('n1', 'cart/a', { type: 'get' })).toMatchObject({ value: 0 });

  for (let crash = 0; crash < 7; crash++) {
    await world.until(asking('n1', 'cart/a', { type: 'fail' }).done);
    await world.run(12_000 / 7);
  }
  expect(await rows(cluster, 'cart')).toMatchObject([{ state: 'quarantined' }]);
  const refused = asking('n2', 'cart/a', { type: 'get' });
  await world.until(refused.done);
  expect(refused.came).toMatchObject({ error: { code: 'quarantined' } });
});

test('when its node is lost another one claims it without activating it, until its next message', async () => {
  await using cluster = await cluster3();
  const { world, ask, activated } = cluster;
  await ask('n1', 'cart/a', { type: 'add', by: 3 });
  const first = activated.at(-1);
  world.crash(first?.node ?? '', 10);
  await world.run(3_000);
  const from = first?.node === 'n1' ? 'n2' : 'n1';
  const list = await world.until(cluster.member(from).agents.list({ type: 'cart', limit: 10 }));
  expect(list.agents).toMatchObject([{ state: 'passive' }]);
  expect(list.agents[0]?.node).not.toBe(first?.node);
  expect(activated.filter(({ agent }) => agent === 'cart/a')).toHaveLength(1);
  expect(await ask(from, 'cart/a', { type: 'get' })).toMatchObject({ value: 3 });
  expect(activated.at(-1)).toMatchObject({ agent: 'cart/a', node: list.agents[0]?.node, epoch: list.agents[0]?.epoch });
});

test('a type that needs a configuration cannot be on demand', () => {
  expect(() =>
    defineAgent({
      type: 't',
      version: 1,
      commands: {},
      config: z.object({ size: z.int() }),
      state: z.null(),
      initial: null,
      activation: { onDemand: true },
    }),
  ).toThrow(/its configuration must be one that can be left out/);
});
