import { expect, test } from 'vitest';
import { counter } from '../../actors/builtin/index.ts';
import { receive } from '../../src/actor/behavior.ts';
import type { Request } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import { serviceKey } from '../../src/actor/receptionist.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { leastLoaded } from '../../src/actor/routing/least-loaded.ts';
import { roundRobin } from '../../src/actor/routing/round-robin.ts';
import { type Router, router } from '../../src/actor/routing/router.ts';
import { NexaError } from '../../src/errors.ts';
import { calmCluster } from '../simulation/cluster.ts';

type Work =
  | Request<{ readonly type: 'who' }, string>
  | { readonly type: 'note'; readonly n: number }
  | Request<{ readonly type: 'hold' }, string>;

async function pooled(notes: string[] = []) {
  const cluster = await calmCluster();
  const props = (name: string): Props<Work> => ({
    behavior: () =>
      receive((context, message) => {
        if (message.type === 'who') context.reply(message, name);
        else if (message.type === 'hold') held.push(context.replyTo(message));
        else notes.push(`${name} ${message.n}`);
      }),
  });
  const held: unknown[] = [];
  const system = (name: string) => cluster.member(name).system;
  const routees = ['n1', 'n2', 'n3'].map((name) => system('n1').unsafeRef<Work>(system(name).spawn(props(name)).toJSON()));
  return { ...cluster, held, system, routees, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}
const within = { timeoutMs: 2_000 };

test('a router reaches routees of every node, and its broadcast all of them, each in order', async () => {
  const notes: string[] = [];
  await using cluster = await pooled(notes);
  const { world, system, routees } = cluster;
  const ref = router(system('n1'), { routees, strategy: roundRobin() });
  const asked = Promise.all([1, 2, 3].map(() => ref.ask({ type: 'who' }, within)));
  expect(await world.until(asked)).toEqual(['n1', 'n2', 'n3']);
  for (let n = 0; n < 5; n++) expect(ref.broadcast({ type: 'note', n })).toBe(3);
  await world.run(50);
  for (const name of ['n1', 'n2', 'n3'])
    expect(notes.filter((note) => note.startsWith(name))).toEqual([0, 1, 2, 3, 4].map((n) => `${name} ${n}`));
});

test('a routee whose node dies mid-request: that ask is node-lost and not repeated, later ones go to the others', async () => {
  await using cluster = await pooled();
  const { world, system, routees, held } = cluster;
  const ref: Router<Work> = router(system('n1'), { routees, strategy: roundRobin() });
  await world.run(10);
  const outcomes: unknown[] = [];
  for (let each = 0; each < 3; each++)
    ref.ask({ type: 'hold' }, { timeoutMs: 60_000 }).then(
      (reply) => outcomes.push(reply),
      (error) => outcomes.push(error),
    );
  await world.run(10);
  expect(held.length).toBe(3);
  world.crash('n2');
  await world.run(10_000);
  expect(outcomes).toEqual([expect.objectContaining({ code: 'node-lost', definite: false })]);
  expect(held.length).toBe(3);
  expect(ref.size).toBe(2);
  const asked = Promise.all([1, 2, 3, 4].map(() => ref.ask({ type: 'who' }, within)));
  expect(new Set(await world.until(asked))).toEqual(new Set(['n1', 'n3']));
});

test('routees may be agents: one that moves is reached where it is, one that was never spawned is passed over', async () => {
  await using cluster = await calmCluster();
  const { world, member, spawn } = cluster;
  await spawn('counter', 'a', 'n1');
  await spawn('counter', 'b', 'n2');
  const { system } = member('n3');
  const agent = (id: string) =>
    system.unsafeRef<Request<{ readonly type: 'get' }, { readonly value: number }>>(`nexa:${counter.type}/${id}`);
  const ref = router(system, { routees: [agent('a'), agent('nobody'), agent('b')], strategy: leastLoaded() });
  await world.run(1_000);
  const ask = () => world.until(Promise.all([1, 2, 3, 4, 5, 6].map(() => ref.ask({ type: 'get' }, { timeoutMs: 10_000 }))));
  expect(await ask()).toEqual(Array(6).fill({ value: 0 }));
  world.crash('n2');
  await world.run(10_000);
  expect(await ask()).toEqual(Array(6).fill({ value: 0 }));
  expect(ref.size).toBe(3);
  await world.until(member('n1').agents.stop('counter', 'a', { forget: true, timeoutMs: 5_000 }));
  await world.run(100);
  expect(ref.size).toBe(2);
});

test('a router that was sent to another node routes for it, and without routees says so there', async () => {
  await using cluster = await pooled();
  const { world, system, routees } = cluster;
  const ref = router(system('n1'), { routees, strategy: roundRobin() });
  const empty = router<Work>(system('n1'), { routees: [], strategy: roundRobin() });
  const answers: unknown[] = [];
  type Use = { readonly type: 'use'; readonly pool: Router<Work>; readonly empty: Router<Work> };
  const user = system('n3').spawn<Use>({
    behavior: () =>
      receive(async (_context, message) => {
        for (let each = 0; each < 3; each++) answers.push(await message.pool.ask({ type: 'who' }, within));
        answers.push(await message.empty.ask({ type: 'who' }, within).catch((error) => error instanceof NexaError && error.code));
      }),
  });
  system('n1').unsafeRef<Use>(user.toJSON()).tell({ type: 'use', pool: ref, empty });
  await world.run(200);
  expect(answers).toEqual(['n1', 'n2', 'n3', 'unavailable']);
});

test('a router over a key of the receptionist follows who registers, ends and loses its node', async () => {
  await using cluster = await pooled();
  const { world, system, routees } = cluster;
  const key = serviceKey<Work>('who');
  const ref = router(system('n3'), { routees: system('n3').receptionist.routees(key), strategy: roundRobin() });
  expect(ref.size).toBe(0);
  for (const routee of routees) await world.until(system('n1').receptionist.register(key, routee));
  await world.run(500);
  expect(ref.size).toBe(3);
  system('n1').stopActor(routees[0] as ActorRef<Work>);
  await world.run(500);
  expect(ref.size).toBe(2);
  world.crash('n2');
  await world.run(10_000);
  expect(ref.size).toBe(1);
  expect(await world.until(ref.ask({ type: 'who' }, within))).toBe('n3');
});
