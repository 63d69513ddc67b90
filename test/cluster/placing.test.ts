import { expect, test } from 'vitest';
import { calmCluster } from '../simulation/cluster.ts';

const placing = () =>
  calmCluster({
    size: 4,
    drift: false,
    capacity: { n1: 1, n2: 2, n3: 5, n4: 0 },
    labels: { n1: { zone: 'a' }, n2: { zone: 'b', disk: 'ssd' }, n3: { zone: 'b' }, n4: { zone: 'c' } },
  });

/** Spawns by message, as a stranger does. */
const spawner =
  ({ world }: Awaited<ReturnType<typeof placing>>) =>
  async (id: string, placement?: object): Promise<string> => {
    const body = { type: 'counter', id, ...(placement === undefined ? {} : { placement }) };
    const answer = await world.until(world.outside.request(world.subjects.spawn, body, { timeoutMs: 5_000 }));
    return (answer.agent as { readonly node: string }).node;
  };

test('S0-091: spawns by message fill the nodes by capacity, and a node of capacity 0 takes none', async () => {
  await using cluster = await placing();
  const spawn = spawner(cluster);
  const counts = new Map<string, number>();
  for (let index = 0; index < 160; index++) {
    const node = await spawn(`a${index}`);
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['n1', 'n2', 'n3']);
  for (const [node, share] of [
    ['n1', 20],
    ['n2', 40],
    ['n3', 100],
  ] as const) {
    expect(Math.abs((counts.get(node) ?? 0) - share), `${node} got ${counts.get(node)}`).toBeLessThan(16);
  }
});

test('each placement by message is kept: a node, labels, rendezvous, local', async () => {
  await using cluster = await placing();
  const spawn = spawner(cluster);
  expect(await spawn('named', { node: 'n1' })).toBe('n1');
  for (let index = 0; index < 10; index++) {
    expect(await spawn(`ssd-${index}`, { labels: { zone: 'b', disk: 'ssd' } })).toBe('n2');
    expect(await spawn(`zone-${index}`, { labels: { zone: 'a' } })).toBe('n1');
  }
  const { world, member } = cluster;
  const local = await world.until(member('n2').agents.spawn({ type: 'counter', placement: { strategy: 'local' }, timeoutMs: 5_000 }));
  expect(local.node).toBe('n2');
  const places = new Set<string>();
  for (let round = 0; round < 3; round++) {
    places.add(await spawn('ring', { strategy: 'rendezvous' }));
    await world.until(member('n1').agents.stop('counter', 'ring', { forget: true, timeoutMs: 5_000 }));
  }
  expect(places.size).toBe(1);
});

test.each([
  ['a label that nobody has', { labels: { zone: 'x' } }, 'no node that could run it has the label zone=x', { 'label zone': 'x' }],
  ['a node that does not exist', { node: 'n9' }, 'node n9 does not take it', { node: 'n9' }],
  ['a node of capacity 0', { node: 'n4' }, 'no node may take it at the moment', { node: 'n4' }],
  ['a label of a node of capacity 0 alone', { labels: { zone: 'c' } }, 'no node may take it at the moment', {}],
])('%s is refused as unavailable, definite, with what is missing and what to do', async (_name, placement, message, where) => {
  await using cluster = await placing();
  const { world } = cluster;
  const refused = world.outside.request(world.subjects.spawn, { type: 'counter', id: 'a', placement }, { timeoutMs: 5_000 });
  await expect(world.until(refused)).rejects.toMatchObject({
    code: 'unavailable',
    definite: true,
    message,
    where: { type: 'counter', ...where },
    fix: expect.any(String),
  });
  const rows = await world.until(cluster.member('n1').agents.list({ limit: 10 }));
  expect(rows.agents).toEqual([]);
});
