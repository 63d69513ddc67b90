import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { receive } from '../../src/actor/behavior.ts';
import type { Message, Request } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { roundRobin } from '../../src/actor/routing/round-robin.ts';
import { router } from '../../src/actor/routing/router.ts';
import type { CellSnapshot } from '../../src/actor/snapshot.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** The rows of "Who gets a message" in docs/patterns.md: each has its tests here. */
const ROWS = ['unicast', 'anycast by group', 'anycast by router', 'multicast', 'broadcast'] as const;

interface Number_ extends Message {
  readonly type: 'number';
  readonly n: number;
}
type Heard = Number_ | Request<{ readonly type: 'who' }, string>;
const NODES = ['n1', 'n2', 'n3'] as const;

/** A cluster with a listener on every node, under each way of reaching it. */
async function listeners(options: { readonly limit?: number; readonly holdMs?: number } = {}) {
  const cluster = await calmCluster();
  const { member, world } = cluster;
  const heard: Record<string, number[]> = {};
  const listener = (name: string, topic?: string, group?: string): Props<Heard> => ({
    mailbox: { limit: options.limit ?? 1_000 },
    behavior: (context) => {
      if (topic !== undefined) context.topic<Number_>(topic).subscribe((message) => message, group === undefined ? {} : { group });
      return receive(async (own, message) => {
        if (message.type === 'who') return own.reply(message, name);
        heard[name] = [...(heard[name] ?? []), message.n];
        if (options.holdMs !== undefined) await new Promise<void>((resolve) => void own.clock.after(options.holdMs ?? 0, resolve));
      });
    },
  });
  const { system } = member('n1');
  const refs: ActorRef<Heard>[] = NODES.map((node) => system.unsafeRef(member(node).system.spawn(listener(node)).toJSON()));
  for (const node of NODES) {
    member(node).system.spawn(listener(`${node} grouped`, 'grouped', 'workers'));
    member(node).system.spawn(listener(`${node} subscribed`, 'all'));
  }
  await world.run(10);
  const routed = router(system, { routees: refs, strategy: roundRobin() });
  const send: Record<(typeof ROWS)[number], (n: number) => void> = {
    unicast: (n) => void refs[1]?.tell({ type: 'number', n }),
    'anycast by group': (n) => void system.topic<Number_>('grouped').publish({ type: 'number', n }),
    'anycast by router': (n) => void routed.tell({ type: 'number', n }),
    multicast: (n) => void system.topic<Number_>('all').publish({ type: 'number', n }),
    broadcast: (n) => void routed.broadcast({ type: 'number', n }),
  };
  return { ...cluster, heard, send, routed, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}
const rising = (numbers: readonly number[]): boolean => numbers.every((n, index) => index === 0 || n > (numbers[index - 1] as number));
const mailboxes = ({ mailbox, children }: CellSnapshot): number => children.reduce((total, child) => total + mailboxes(child), mailbox);
/** How many listeners get each message. */
const COPIES = { unicast: 1, 'anycast by group': 1, 'anycast by router': 1, multicast: 3, broadcast: 3 } as const;

test('docs/patterns.md says who gets a message in exactly these ways', () => {
  const page = readFileSync(new URL('../../docs/patterns.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('## Who gets a message'), page.indexOf('All of it is at most once'));
  const ways = [...table.matchAll(/^\| ([a-z][a-z ]*) \|/gm)].map(([, way]) => way).filter((way) => way !== 'way');
  expect(ways).toEqual([...ROWS]);
});

describe.each(ROWS)('%s', (way) => {
  const copies = COPIES[way];

  test('reaches as many as it says, each once and in order', async () => {
    await using cluster = await listeners();
    for (let n = 0; n < 60; n++) cluster.send[way](n);
    await cluster.world.run(100);
    const lists = Object.values(cluster.heard);
    expect(lists.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 * copies }, (_, index) => Math.floor(index / copies)));
    for (const list of lists) expect(rising(list)).toBe(true);
    expect(lists.length).toBe(way === 'unicast' ? 1 : 3);
  });

  test('loses messages across a partition, and doubles or reorders none', async () => {
    await using cluster = await listeners();
    const { world, send, heard } = cluster;
    const some = async (from: number): Promise<void> => {
      for (let n = from; n < from + 30; n++) {
        send[way](n);
        await world.run(10);
      }
    };
    await some(0);
    world.network.faults.cut('n1', 'n2');
    await some(30);
    world.network.faults.heal();
    await world.run(2_000);
    await some(60);
    await world.run(1_000);
    const all = Object.values(heard).flat();
    for (let n = 0; n < 90; n++) expect(all.filter((each) => each === n).length, `${n}`).toBeLessThanOrEqual(copies);
    for (const list of Object.values(heard)) expect(rising(list)).toBe(true);
    for (const n of [0, 29, 89]) expect(all.filter((each) => each === n).length, `${n}`).toBe(copies);
  });

  test('meets full mailboxes, and every message is handled, waits, or is a dead letter', async () => {
    await using cluster = await listeners({ limit: 2, holdMs: 60_000 });
    const { world, send, heard, member } = cluster;
    const sent = 30;
    for (let n = 0; n < sent; n++) {
      send[way](n);
      await world.run(10);
    }
    const sum = (of: (part: ReturnType<typeof member>) => number): number => NODES.reduce((total, node) => total + of(member(node)), 0);
    const refused = sum(({ system }) => system.deadLetters.counts['mailbox-full'] ?? 0);
    // From another node a message waits outside a mailbox that has no room.
    const held = sum(({ cluster: part }) => part.remote.peers().reduce((total, peer) => total + peer.parked, 0));
    const atWork = Object.values(heard).flat().length;
    const waiting = sum(({ system }) => mailboxes(system.snapshot()));
    expect(refused + held + atWork + waiting).toBe(sent * copies);
    expect([refused > 0, held > 0]).toEqual(
      {
        unicast: [false, true],
        'anycast by group': [true, false],
        'anycast by router': [true, true],
        multicast: [true, false],
        broadcast: [true, true],
      }[way],
    );
  });
});

test('unicast, an ask: on a full mailbox and across a partition its asker has one typed outcome', async () => {
  await using cluster = await listeners({ limit: 1, holdMs: 60_000 });
  const { world, send, member, routed } = cluster;
  const outcomes: string[] = [];
  for (let n = 0; n < 9; n++) send.broadcast(n);
  await world.run(10);
  const ask = (): void => {
    routed.ask({ type: 'who' }, { timeoutMs: 1_000 }).then(
      (reply) => outcomes.push(reply),
      (error) => outcomes.push(error.code),
    );
  };
  ask();
  await world.run(2_000);
  world.network.faults.cut('n1', 'n2');
  world.network.faults.cut('n1', 'n3');
  ask();
  await world.run(5_000);
  expect(outcomes.length).toBe(2);
  for (const outcome of outcomes) expect(['mailbox-full', 'ask-timeout', 'node-lost', 'unavailable']).toContain(outcome);
  expect(member('n1').system.asks.size).toBe(0);
});
