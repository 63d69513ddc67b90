import { expect, test } from 'vitest';
import { shoppingList } from '../../../examples/agents/shopping-list.ts';
import { calmCluster } from '../../simulation/cluster.ts';

const homes = { kitchen: 'n1', car: 'n2', phone: 'n3' } as const;
const names = Object.keys(homes) as (keyof typeof homes)[];

/** The example's agents, one on each of three nodes. */
async function lists() {
  const cluster = await calmCluster({ agents: [shoppingList] });
  for (const name of names)
    await cluster.spawn('shopping-list', name, homes[name], { config: { peers: names.filter((each) => each !== name) } });
  /** Asked where it was put, so that a cut between nodes is not in the way. */
  const ask = (name: keyof typeof homes, message: object, from: string = homes[name]): Promise<unknown> =>
    cluster.ask(from, `shopping-list/${name}`, message);
  return {
    ...cluster,
    ask,
    show: (name: keyof typeof homes, from?: string) => ask(name, { type: 'show' }, from),
    [Symbol.asyncDispose]: cluster[Symbol.asyncDispose],
  };
}

test('what one agent adds all have, and what one had seen it removes from all', async () => {
  await using on = await lists();
  for (const [index, name] of names.entries()) await on.ask(name, { type: 'add', item: `of ${name} ${index}` });
  await on.world.run(15_000);
  for (const name of names) expect(await on.show(name), name).toEqual({ items: ['of car 1', 'of kitchen 0', 'of phone 2'], trips: 0 });
  await on.ask('car', { type: 'shopped' });
  await on.world.run(15_000);
  for (const name of names) expect(await on.show(name), name).toEqual({ items: [], trips: 1 });
});

test('parted, all go on; together again, all have the same and nobody’s addition is lost', async () => {
  await using on = await lists();
  await on.ask('kitchen', { type: 'add', item: 'milk' });
  await on.world.run(15_000);
  for (const other of ['n2', 'n3']) {
    on.world.network.faults.cut('n1', other);
    on.world.network.faults.cut(other, 'n1');
  }
  await on.ask('kitchen', { type: 'shopped' });
  await on.ask('kitchen', { type: 'add', item: 'bread' });
  await on.ask('car', { type: 'shopped' });
  await on.ask('phone', { type: 'add', item: 'milk' });
  await on.world.run(15_000);
  expect(await on.show('kitchen')).toEqual({ items: ['bread'], trips: 1 });
  expect(await on.show('car')).toEqual({ items: ['milk'], trips: 1 });
  on.world.network.faults.heal();
  await on.world.run(20_000);
  for (const name of names) expect(await on.show(name), name).toEqual({ items: ['bread', 'milk'], trips: 2 });
});

test('a lost node loses nothing: its agent goes on elsewhere under its name, and still nothing counts twice', async () => {
  await using on = await lists();
  await on.ask('car', { type: 'add', item: 'tyres' });
  await on.ask('car', { type: 'shopped' });
  on.world.crash('n2', 50);
  await on.world.run(20_000);
  await on.ask('car', { type: 'shopped' }, 'n1');
  await on.ask('car', { type: 'add', item: 'oil' }, 'n1');
  await on.world.run(20_000);
  for (const name of names) expect(await on.show(name, 'n1'), name).toEqual({ items: ['oil'], trips: 2 });
});

test('what strangers send as gossip harms no copy', async () => {
  await using on = await lists();
  await on.ask('kitchen', { type: 'add', item: 'milk' });
  const far = { type: 'delta', delta: { items: { entries: { '"x"': { a: [1, 1] } }, seen: {} }, trips: {} } };
  for (const message of [null, 'x', { type: 'delta', delta: 5 }, { type: 'digest', digest: { items: 5 } }, far]) {
    await on.ask('kitchen', { type: 'gossip', from: 'car', message });
    await on.ask('kitchen', { type: 'gossip', from: 'nobody', message });
  }
  expect(await on.show('kitchen')).toEqual({ items: ['milk'], trips: 0 });
  expect(on.member('n1').system.counters.restarts).toBe(0);
});
