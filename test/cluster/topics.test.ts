import { expect, test } from 'vitest';
import { z } from 'zod';
import { receive } from '../../src/actor/behavior.ts';
import type { Message } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { topicsOver } from '../../src/cluster/topics.ts';
import { NexaError } from '../../src/errors.ts';
import { calmCluster } from '../simulation/cluster.ts';

interface Order extends Message {
  readonly type: 'order';
  readonly n: number;
}
const order = (n: number): Order => ({ type: 'order', n });

/** An actor that subscribes when it starts, and keeps what it hears. */
const listening = (pattern: string, heard: string[], group?: string): Props<{ readonly type: 'heard'; readonly what: string }> => ({
  behavior: (context) => {
    context
      .topic<Order>(pattern)
      .subscribe(({ n }, topic) => ({ type: 'heard', what: `${topic} ${n}` }), group === undefined ? {} : { group });
    return receive((_context, message) => void heard.push(message.what));
  },
});
const idle: Props<Message> = { behavior: () => receive(() => undefined) };

test('a wildcard subscriber on any node hears each message once, in the order of its publisher', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  const heard: Record<string, string[]> = { n1: [], n2: [], n3: [] };
  for (const [node, list] of Object.entries(heard)) member(node).system.spawn(listening('orders.*.created', list));
  await world.run(10);
  const topic = member('n1').system.topic<Order>('orders.eu.created');
  for (let n = 0; n < 50; n++) expect(topic.publish(order(n))).toBe(true);
  member('n2').system.topic<Order>('orders.eu.deleted').publish(order(99));
  await world.run(10);
  const all = Array.from({ length: 50 }, (_, n) => `orders.eu.created ${n}`);
  expect(heard).toEqual({ n1: all, n2: all, n3: all });
});

test('of each group one member hears each message, wherever the members are, and who is in no group hears all', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  const billing: Record<string, string[]> = { n1: [], n2: [], n3: [] };
  const shipping: string[] = [];
  const everybody: string[] = [];
  for (const [node, list] of Object.entries(billing)) {
    member(node).system.spawn(listening('orders.>', list, 'billing'));
    member(node).system.spawn(listening('orders.>', list, 'billing'));
  }
  member('n2').system.spawn(listening('orders.eu.created', shipping, 'shipping'));
  member('n3').system.spawn(listening('orders.>', everybody));
  await world.run(10);
  const all = Array.from({ length: 90 }, (_, n) => `orders.eu.created ${n}`);
  for (let n = 0; n < 90; n++)
    member(`n${(n % 3) + 1}`)
      .system.topic<Order>('orders.eu.created')
      .publish(order(n));
  await world.run(10);
  expect(Object.values(billing).flat().sort()).toEqual([...all].sort());
  for (const [node, list] of Object.entries(billing)) expect(list.length, node).toBeGreaterThan(10);
  expect([...shipping].sort()).toEqual([...all].sort());
  expect([...everybody].sort()).toEqual([...all].sort());
});

test('subscribers of one node share one subscription at the broker for each pattern and group', async () => {
  await using cluster = await calmCluster({
    size: 1,
    wrap: (_name, connection) => ({
      ...connection,
      transport: {
        ...connection.transport,
        subscribe: (subject, ...rest) => {
          if (subject.includes('.topic.')) subscribed.push(subject);
          return connection.transport.subscribe(subject, ...rest);
        },
      },
    }),
  });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: string[] = [];
  for (let each = 0; each < 5; each++) system.spawn(listening('orders.>', heard));
  for (let each = 0; each < 5; each++) system.spawn(listening('orders.>', heard, 'billing'));
  await world.run(10);
  system.topic<Order>('orders.eu').publish(order(1));
  await world.run(10);
  expect(subscribed.length).toBe(2);
  expect(heard.length).toBe(6);
});
const subscribed: string[] = [];

test('a ref in a message is live where it arrives', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  interface Hello extends Message {
    readonly type: 'hello';
    readonly from: ActorRef<Order>;
  }
  const answered: number[] = [];
  const asker = member('n1').system.spawn<Order>({ behavior: () => receive((_context, { n }) => void answered.push(n)) });
  member('n2').system.spawn<Hello>({
    behavior: (context) => {
      context.topic<Hello>('hello').subscribe((message) => message);
      return receive((_context, { from }) => void from.tell(order(7)));
    },
  });
  await world.run(10);
  member('n1').system.topic<Hello>('hello').publish({ type: 'hello', from: asker });
  await world.run(20);
  expect(answered).toEqual([7]);
});

test('strangers read JSON unless a message has what JSON cannot say, and what they publish is heard', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { transport } = world.network.connect('stranger');
  const bodies: Uint8Array[] = [];
  transport.subscribe(world.subjects.topics('>'), ({ payload }) => void bodies.push(payload));
  const heard: string[] = [];
  const { system } = member('n1');
  const actor = system.spawn(listening('orders.>', heard));
  await world.run(10);
  system.topic<Order>('orders.new').publish(order(1));
  system.topic<Message & { readonly ref: unknown }>('other').publish({ type: 'x', ref: actor });
  transport.publish(world.subjects.topic('orders.old'), Buffer.from('{"type":"order","n":2}'));
  await world.run(10);
  expect(Buffer.from(bodies[0] ?? []).toString()).toBe('{"type":"order","n":1}');
  expect(bodies[1]?.[0]).not.toBe(0x7b);
  expect(heard).toEqual(['orders.new 1', 'orders.old 2']);
});

test('what strangers publish in no form of a message is a dead letter and harms nobody', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { transport } = world.network.connect('stranger');
  const heard: string[] = [];
  const { system, cluster: part } = member('n1');
  system.spawn(listening('orders.>', heard));
  await world.run(10);
  const subject = world.subjects.topic('orders.new');
  for (const body of ['{', '[1]', '{"n":1}', '{"type":7}', '', '{"type":"order","__proto__":{}}', '\xc1\xc1'])
    transport.publish(subject, Buffer.from(body, 'latin1'));
  // A name that is none, and one in a second spelling.
  transport.publish(`${subject}.ä` as typeof subject, Buffer.from('{"type":"order","n":3}'));
  transport.publish(`${subject}.=YQ` as typeof subject, Buffer.from('{"type":"order","n":4}'));
  transport.publish(subject, Buffer.from('{"type":"order","n":5}'));
  await world.run(10);
  expect(heard).toEqual(['orders.new 5']);
  expect(system.deadLetters.counts).toEqual({ undecodable: 9 });
  expect(part.topics.counters).toMatchObject({ arrived: 10, unreadable: 9, delivered: 1 });
});

test('a toMessage that throws at what a stranger sent makes a dead letter and no crash', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: number[] = [];
  system.spawn<Order>({
    behavior: (context) => {
      context.topic<Order & { readonly deep: { readonly n: number } }>('orders').subscribe(({ deep }) => order(deep.n));
      return receive((_context, { n }) => void heard.push(n));
    },
  });
  await world.run(10);
  system.topic<Message>('orders').publish({ type: 'order' });
  system.topic<Message & { readonly deep: object }>('orders').publish({ type: 'order', deep: { n: 2 } });
  await world.run(10);
  expect(heard).toEqual([2]);
  expect(system.counters.restarts).toBe(0);
  expect(system.deadLetters.list().map(({ reason, error }) => [reason, error?.where.topic])).toEqual([['invalid-message', 'orders']]);
});

test('a subscription ends with its incarnation: after a restart there is one, after a stop none, here and at the broker', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system, cluster: part } = member('n1');
  const heard: number[] = [];
  const actor = system.spawn<Order | { readonly type: 'fail' } | { readonly type: 'stop' }>({
    behavior: (context) => {
      context.topic<Order>('orders').subscribe((message) => message);
      return receive((own, message) => {
        if (message.type === 'fail') throw new Error('planted');
        if (message.type === 'stop') return own.stop(own.self);
        heard.push(message.n);
      });
    },
  });
  await world.run(10);
  actor.tell({ type: 'fail' });
  await world.run(2_000);
  expect(part.topics.rows()).toEqual([{ pattern: 'orders', group: null, subscribers: 1, delivered: 0 }]);
  system.topic<Order>('orders').publish(order(1));
  await world.run(10);
  expect(heard).toEqual([1]);
  actor.tell({ type: 'stop' });
  await world.run(10);
  expect(part.topics.rows()).toEqual([]);
});

test('what had arrived before a crash is handled after it, and what waits at a stop is a dead letter', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: number[] = [];
  const props = (last: 'throws' | 'stops'): Props<Order> => ({
    behavior: (context) => {
      context.topic<Order>(last).subscribe((message) => message);
      return receive((own, { n }) => {
        if (n === 1 && last === 'throws') throw new Error('planted');
        if (n === 1) return own.stop(own.self);
        heard.push(n);
      });
    },
  });
  system.spawn(props('throws'));
  system.spawn(props('stops'));
  await world.run(10);
  for (const topic of ['throws', 'stops']) for (const n of [1, 2, 3]) system.topic<Order>(topic).publish(order(n));
  await world.run(2_000);
  expect(heard).toEqual([2, 3]);
  expect(system.deadLetters.counts).toEqual({ crashed: 1, stopped: 2 });
});

test('after its cancel nothing more is delivered, not even what was queued', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: number[] = [];
  system.spawn<Order>({
    behavior: (context) => {
      const cancel = context.topic<Order>('orders').subscribe((message) => message);
      return receive((_context, { n }) => {
        heard.push(n);
        cancel();
      });
    },
  });
  const plain = system.spawn<Order>({ behavior: () => receive((_context, { n }) => void heard.push(-n)) });
  const cancel = system.topic<Order>('orders').subscribe(plain);
  cancel();
  cancel();
  await world.run(10);
  for (const n of [1, 2, 3]) system.topic<Order>('orders').publish(order(n));
  await world.run(10);
  expect(heard).toEqual([1]);
  expect(system.endings.size).toBe(0);
});

test('a system subscribes an actor of its own until that stops, and refuses any other', async () => {
  await using cluster = await calmCluster({ size: 2 });
  const { world, member } = cluster;
  const { system, cluster: part } = member('n1');
  const heard: number[] = [];
  const plain = system.spawn<Order>({ behavior: () => receive((_context, { n }) => void heard.push(n)) });
  system.topic<Order>('orders.>').subscribe(plain);
  system.topic<Order>('orders.new').publish(order(1));
  await world.run(10);
  system.stopActor(plain);
  await world.run(10);
  expect(heard).toEqual([1]);
  expect(part.topics.rows()).toEqual([]);
  expect(system.endings.size).toBe(0);
  const refused = (ref: ActorRef<Order>): unknown => {
    try {
      system.topic<Order>('orders').subscribe(ref);
    } catch (error) {
      return error instanceof NexaError && error.code;
    }
  };
  expect(refused(plain)).toBe('no-such-actor');
  expect(
    refused(
      system.unsafeRef(
        member('n2')
          .system.spawn<Order>(idle as never)
          .toJSON(),
      ),
    ),
  ).toBe('invalid-message');
  expect(refused(system.unsafeRef('nexa:counter/alice'))).toBe('invalid-message');
});

test('the mailbox of a subscriber keeps its bound and its policy', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: number[] = [];
  for (const overflow of ['reject', 'drop-oldest'] as const) {
    system.spawn<Order>({
      mailbox: { limit: 2, overflow },
      behavior: (context) => {
        context.topic<Order>(overflow).subscribe((message) => message);
        return receive(async (own, { n }) => {
          heard.push(n);
          await new Promise<void>((resolve) => void own.clock.after(100, resolve));
        });
      },
    });
  }
  await world.run(10);
  for (const topic of ['reject', 'drop-oldest']) {
    system.topic<Order>(topic).publish(order(0));
    await world.run(10);
    for (const n of [1, 2, 3, 4]) system.topic<Order>(topic).publish(order(n));
    await world.run(1_000);
    expect(heard.splice(0), topic).toEqual(topic === 'reject' ? [0, 1, 2] : [0, 3, 4]);
  }
  expect(system.deadLetters.counts).toEqual({ 'mailbox-full': 4 });
});

test('a member of a group that has no room is passed over while another one has', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  const heard: number[] = [];
  const busy: number[] = [];
  const worker = (list: number[], holdMs: number): Props<Order> => ({
    mailbox: { limit: 1 },
    behavior: (context) => {
      context.topic<Order>('orders').subscribe((message) => message, { group: 'workers' });
      return receive(async (own, { n }) => {
        list.push(n);
        if (holdMs > 0) await new Promise<void>((resolve) => void own.clock.after(holdMs, resolve));
      });
    },
  });
  system.spawn(worker(busy, 60_000));
  system.spawn(worker(heard, 0));
  await world.run(10);
  for (let n = 0; n < 20; n++) {
    system.topic<Order>('orders').publish(order(n));
    await world.run(10);
  }
  expect(busy.length).toBe(1);
  expect(heard.length).toBe(18);
  expect(system.deadLetters.count).toBe(0);
});

test('subscriptions of one node and of one actor are bounded', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world } = cluster;
  const { transport } = world.network.connect('bounded');
  const topics = topicsOver({
    ...{ transport, subjects: world.subjects, codec: createCodec(), log: world.log },
    ...{ onDeadLetter: () => undefined, mostSubscriptions: 2 },
  });
  const listener = () => ({ ready: true, deliver: () => undefined });
  topics.subscribe('a', listener(), {});
  const cancel = topics.subscribe('b', listener(), {});
  expect(() => topics.subscribe('c', listener(), {})).toThrow(expect.objectContaining({ code: 'overloaded' }));
  cancel();
  topics.subscribe('c', listener(), {});
});

test('a publisher is told what cannot be sent, before anything is sent', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { system, cluster: part } = cluster.member('n1');
  const code = (name: string, message: unknown): unknown => {
    try {
      system.topic<Message>(name).publish(message as Message);
    } catch (error) {
      return error instanceof NexaError && error.code;
    }
  };
  expect(code('orders.*', order(1))).toBe('bad-id');
  expect(code('orders', 'text')).toBe('invalid-message');
  expect(code('orders', { n: 1 })).toBe('invalid-message');
  expect(code('orders', { type: 'x', run: () => undefined })).toBe('not-encodable');
  expect(code('orders', { type: 'x', text: 'x'.repeat(600_000) })).toBe('payload-too-large');
  expect(part.topics.counters.published).toBe(0);
});

test('a publisher without connection is answered false, and its message is a dead letter', async () => {
  await using cluster = await calmCluster({ size: 1 });
  const { world, member } = cluster;
  const { system } = member('n1');
  world.network.faults.isolate('n1');
  await world.run(3_000);
  expect(system.topic<Order>('orders').publish(order(1))).toBe(false);
  expect(system.deadLetters.counts).toEqual({ disconnected: 1 });
});

test('across a partition messages may be missing, and none is doubled or out of order', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  const heard: string[] = [];
  member('n2').system.spawn(listening('orders', heard));
  await world.run(10);
  const publish = async (from: number): Promise<void> => {
    for (let n = from; n < from + 10; n++) {
      member('n1').system.topic<Order>('orders').publish(order(n));
      await world.run(10);
    }
  };
  await publish(0);
  world.network.faults.cut('n1', 'n2');
  await publish(10);
  world.network.faults.heal();
  await world.run(1_000);
  await publish(20);
  const numbers = heard.map((what) => Number(what.split(' ')[1]));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(numbers.slice(0, 10)).toEqual([...Array(10).keys()]);
  expect(numbers.slice(-10)).toEqual([...Array(10).keys()].map((n) => n + 20));
  expect(numbers.length).toBeLessThan(30);
});

/** An agent that subscribes when it is activated, and publishes when it is told. */
const auditor = defineAgent({
  type: 'auditor',
  version: 1,
  commands: {
    seen: command({ n: z.int() }),
    count: command({}, { reply: z.object({ seen: z.array(z.int()) }) }),
    announce: command({ n: z.int() }),
  },
  state: z.object({ seen: z.array(z.int()) }),
  initial: { seen: [] },
}).handle(
  {
    seen: ({ state }, { n }) => ({ state: { seen: [...state.seen, n] } }),
    count: ({ state }) => ({ reply: state }),
    announce(context, { n }) {
      context.topic<Order>('audits').publish(order(n));
    },
  },
  {
    started(context) {
      context.topic<Order>('orders.>').subscribe(({ n }) => ({ type: 'seen', n }));
    },
  },
);

test('an agent gets topics as its own commands, validated, and again after it moved', async () => {
  await using cluster = await calmCluster({ agents: [auditor] });
  const { world, member, spawn, ask } = cluster;
  await spawn('auditor', 'a', 'n1');
  const publish = (n: unknown) => member('n3').system.topic<Message & { readonly n: unknown }>('orders.new').publish({ type: 'order', n });
  publish(1);
  publish('one');
  publish(2);
  await world.run(100);
  expect(await ask('n2', 'auditor/a', { type: 'count' })).toEqual({ seen: [1, 2] });
  expect(
    member('n1')
      .system.deadLetters.list()
      .map(({ reason, envelope }) => [reason, envelope.to]),
  ).toEqual([['invalid-message', expect.objectContaining({ kind: 'agent', type: 'auditor', id: 'a' })]]);
  world.crash('n1');
  await world.run(10_000);
  publish(3);
  await world.run(100);
  expect(await ask('n2', 'auditor/a', { type: 'count' })).toEqual({ seen: [1, 2, 3] });
});

test('what an exclusive agent publishes passes its gate: while it is suspended nothing leaves, and all of it once the lease is back', async () => {
  await using cluster = await calmCluster({ agents: [auditor] });
  const { world, member, spawn } = cluster;
  await spawn('auditor', 'a', 'n1');
  const heard: string[] = [];
  member('n1').system.spawn(listening('audits', heard));
  await world.run(10);
  world.network.faults.election(8_000);
  await world.run(6_000);
  expect(member('n1').cluster.suspended).toBe(true);
  const { system } = member('n1');
  const path = 'agents/auditor.a';
  const at = { kind: 'incarnation', node: 'n1', nodeIncarnation: system.incarnation, path, uid: 0 } as const;
  expect(system.runIn(at, (context) => void context.topic<Order>('audits').publish(order(1)))).toBe(true);
  await world.run(10);
  expect(heard).toEqual([]);
  await world.run(6_000);
  expect(heard).toEqual(['audits 1']);
});
