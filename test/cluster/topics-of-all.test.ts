import { expect, test } from 'vitest';
import { receive } from '../../src/actor/behavior.ts';
import type { Context } from '../../src/actor/context.ts';
import type { Message } from '../../src/actor/message.ts';
import { clientOver } from '../../src/client.ts';
import { topicsOfAll } from '../../src/cluster/topics-of-all.ts';
import { calmCluster } from '../simulation/cluster.ts';

const subscriber = (pattern: string, group?: string) => ({
  behavior: (context: Context<Message>) => {
    context.topic<Message>(pattern).subscribe((message) => message, group === undefined ? {} : { group });
    return receive<Message>(() => undefined);
  },
});

test('every node says who listens there, and who does not answer is named', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  for (const node of ['n1', 'n2', 'n2']) member(node).system.spawn(subscriber('orders.>'));
  member('n3').system.spawn(subscriber('orders.*', 'billing'));
  await world.run(10);
  member('n1').system.topic('orders.new').publish({ type: 'x' });
  await world.run(10);
  const { system, cluster: part } = member('n1');
  const row = (pattern: string, group: string | null, node: string, subscribers: number, delivered: number) => ({
    ...{ pattern, group, node, subscribers, delivered },
  });
  const rows = [row('orders.*', 'billing', 'n3', 1, 1), row('orders.>', null, 'n1', 1, 1), row('orders.>', null, 'n2', 2, 2)];
  expect(await world.until(topicsOfAll(system, part))).toEqual({ topics: rows, more: false, silent: [] });
  world.network.faults.cut('n1', 'n2');
  expect(await world.until(topicsOfAll(system, part))).toEqual({ topics: [rows[0], rows[1]], more: false, silent: ['n2'] });
});

test('a program outside publishes to actors and hears them, and its groups are theirs', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  const { transport } = world.network.connect('program');
  const client = clientOver({ transport, subjects: world.subjects, clock: world.clock, random: world.random });
  interface Order extends Message {
    readonly n: number;
  }
  const heard: string[] = [];
  const cancel = await world.until(client.topic<Order>('orders.*').subscribe(({ n }, topic) => void heard.push(`${topic} ${n}`)));
  let mine = 0;
  let theirs = 0;
  await world.until(client.topic<Order>('orders.*').subscribe(() => void mine++, { group: 'billing' }));
  member('n2').system.spawn<Order>({
    behavior: (context) => {
      context.topic<Order>('orders.>').subscribe((order) => order, { group: 'billing' });
      return receive(() => void theirs++);
    },
  });
  await world.run(10);
  for (let n = 0; n < 40; n++) member('n1').system.topic<Order>('orders.new').publish({ type: 'order', n });
  expect(client.topic<Order>('orders.old').publish({ type: 'order', n: 40 })).toBe(true);
  await world.run(20);
  expect(heard).toEqual([...Array.from({ length: 40 }, (_, n) => `orders.new ${n}`), 'orders.old 40']);
  expect(mine + theirs).toBe(41);
  expect(Math.min(mine, theirs)).toBeGreaterThan(5);
  cancel();
  await client[Symbol.asyncDispose]();
  member('n1').system.topic<Order>('orders.new').publish({ type: 'order', n: 41 });
  await world.run(20);
  expect([heard.length, mine + theirs]).toEqual([41, 42]);
  expect(client.topic<Order>('orders.new').publish({ type: 'order', n: 42 })).toBe(false);
});
