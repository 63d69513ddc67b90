import { expect, test } from 'vitest';
import { z } from 'zod';
import { receive } from '../../src/actor/behavior.ts';
import { type Service, type ServiceKey, serviceKey } from '../../src/actor/receptionist.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { DEFAULT_TIMES, silenceMs } from '../../src/cluster/config.ts';
import { decodeService } from '../../src/cluster/service.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { codec } from './stores.ts';

type Work = { readonly type: 'work' };
const workers: ServiceKey<Work> = serviceKey('workers');
const worker = { behavior: () => receive<Work>(() => undefined) };
const LOST_MS = 20_000;

async function crowd(options: Parameters<typeof calmCluster>[0] = {}) {
  const cluster = await calmCluster(options);
  const { world, member } = cluster;
  const at = (node: string) => member(node).cluster.receptionist;
  return {
    ...cluster,
    at,
    /** Spawns a worker on a node and registers it from there, or from `by`. */
    async join(node: string, more: { readonly by?: string; readonly metadata?: Record<string, unknown>; readonly instance?: string } = {}) {
      const { by = node, ...options } = more;
      const ref = member(node).system.spawn(worker);
      await world.until(at(by).register(workers, member(by).system.unsafeRef<Work>(ref.address), options));
      return ref;
    },
    seen: (by: string) =>
      at(by)
        .find(workers)
        .map(({ node }: Service<Work>) => node),
    services: (): Kv => world.network.connect('looker').stores.kv(world.subjects.store('SERVICES')),
    /** What the store has, by home. */
    async stored() {
      const homes: string[] = [];
      const stop = world.network
        .connect('looker')
        .stores.kv(world.subjects.store('SERVICES'))
        .watch('', (change) => {
          if (change.kind !== 'put') return;
          const { address, instance } = decodeService(change.value, codec, change.key);
          homes.push(address?.kind === 'incarnation' ? address.node : address?.kind === 'agent' ? address.id : instance);
        });
      await world.run(100);
      stop();
      return homes.sort();
    },
  };
}

test('what one node registered every node finds, and can reach', async () => {
  await using cluster = await crowd();
  await cluster.join('n1', { metadata: { zone: 'x' } });
  await cluster.join('n2', { by: 'n3' });
  await cluster.world.run(100);
  for (const node of ['n1', 'n2', 'n3']) expect(cluster.seen(node)).toEqual(['n1', 'n2']);
  expect(cluster.at('n3').find(workers, { metadata: { zone: 'x' } })).toMatchObject([{ node: 'n1', metadata: { zone: 'x' } }]);
});

test('an entry goes with its actor, wherever it was registered', async () => {
  await using cluster = await crowd();
  const ref = await cluster.join('n2', { by: 'n3' });
  cluster.member('n2').system.stopActor(ref);
  await cluster.world.run(200);
  for (const node of ['n1', 'n2', 'n3']) expect(cluster.seen(node)).toEqual([]);
  expect(await cluster.stored()).toEqual([]);
});

test('entries of a node that is lost are left out as soon as it is recorded gone, and deleted once by those who stay', async () => {
  await using cluster = await crowd();
  for (const node of ['n1', 'n2', 'n2', 'n3']) await cluster.join(node);
  cluster.world.crash('n2', 0);
  await cluster.world.run(400);
  expect(cluster.seenBy('n1', 'n2')).toBe('gone');
  for (const node of ['n1', 'n3']) expect(cluster.seen(node)).toEqual(['n1', 'n3']);
  await cluster.world.run(LOST_MS);
  expect(await cluster.stored()).toEqual(['n1', 'n3']);
});

test('a node cut off is left out once it is recorded gone; it comes back as another incarnation, and what that registers is found', async () => {
  await using cluster = await crowd();
  const { world } = cluster;
  const heard: (string | undefined)[][] = [];
  await cluster.join('n1');
  await cluster.join('n3');
  cluster.at('n1').subscribe(workers, (services) => heard.push(services.map(({ node }) => node)));
  const before = cluster.member('n3').cluster.self.incarnation;
  world.network.faults.isolate('n3');
  await world.run(silenceMs(DEFAULT_TIMES) + 3_000);
  expect(cluster.seen('n2')).toEqual(['n1']);
  // Alone, it sees what it last saw.
  expect(cluster.seen('n3')).toEqual(['n1', 'n3']);
  world.network.faults.heal('n3');
  await world.run(LOST_MS);
  expect(cluster.member('n3').cluster.self.incarnation).toBeGreaterThan(before);
  expect(cluster.seen('n3')).toEqual(['n1']);
  await cluster.join('n3');
  await world.run(LOST_MS);
  expect(cluster.seen('n2')).toEqual(['n1', 'n3']);
  expect(await cluster.stored()).toEqual(['n1', 'n3']);
  expect(heard).toEqual([['n1', 'n3'], ['n1'], ['n1', 'n3']]);
});

test('an agent keeps its entry while it moves, and loses it when it is stopped', async () => {
  await using cluster = await crowd();
  const { world, member, at } = cluster;
  await cluster.spawn('counter', 'alice', 'n2');
  const agents: ServiceKey<never> = serviceKey('counters');
  await world.until(at('n1').register(agents, member('n1').system.unsafeRef('nexa:counter/alice')));
  world.crash('n2', 0);
  await world.run(5_000);
  expect(at('n3').find(agents)).toMatchObject([{ instance: 'counter/alice', node: undefined }]);
  await world.until(member('n1').agents.stop('counter', 'alice', { forget: false, timeoutMs: 5_000 }));
  await world.run(100);
  expect(at('n3').find(agents)).toEqual([]);
  await world.run(LOST_MS);
  expect(await cluster.stored()).toEqual([]);
  await expect(world.until(at('n1').register(agents, member('n1').system.unsafeRef('nexa:counter/nobody')))).rejects.toMatchObject({
    code: 'no-such-actor',
  });
});

test('an agent that registers itself when it starts is found by its name, wherever it goes on', async () => {
  const host = defineAgent({
    type: 'host',
    version: 1,
    commands: { get: command({}, { reply: z.string() }) },
    state: z.object({}),
    initial: {},
  }).handle(
    { get: ({ id }) => ({ reply: id }) },
    {
      started: async (context) =>
        void (await context.receptionist.register(hosts, context.self as never, { metadata: { id: context.id } })),
    },
  );
  const hosts: ServiceKey<never> = serviceKey('hosts');
  await using cluster = await crowd({ agents: [host] });
  const { world, at } = cluster;
  await cluster.spawn('host', 'h', 'n2');
  await world.run(200);
  const [before] = at('n1').find(hosts);
  expect(before).toMatchObject({ instance: 'host/h', node: undefined, metadata: { id: 'h' } });
  world.crash('n2', 0);
  await world.run(5_000);
  expect(at('n1').find(hosts)).toMatchObject([{ instance: 'host/h', registeredAtMs: before?.registeredAtMs }]);
  const ask = at('n3').find(hosts)[0]?.ref as unknown as { ask(message: object, options: object): Promise<unknown> };
  expect(await world.until(ask.ask({ type: 'get' }, { timeoutMs: 5_000 }))).toBe('h');
});

test('with lost answers and late writes a registration that is answered is there once, and one that is not says whether that is certain', async () => {
  for (const seed of [1, 2, 3, 4]) {
    await using cluster = await crowd({
      seed,
      faults: { store: { delayMs: [0, 100], unknownApplied: 0.3, unknownLost: 0.3, staleRead: 0.1 } },
    });
    let registered = 0;
    for (let index = 0; index < 8; index++) {
      await cluster.join(`n${(index % 3) + 1}`).then(
        () => registered++,
        (error) => expect(error).toMatchObject({ code: 'unavailable', retryable: true, definite: false }),
      );
    }
    expect(registered).toBeGreaterThan(0);
    await cluster.world.heal();
    await cluster.world.run(LOST_MS);
    const found = cluster
      .at('n1')
      .find(workers)
      .map(({ instance }) => instance);
    expect(found.length).toBeGreaterThanOrEqual(registered);
    expect(new Set(found).size).toBe(found.length);
    for (const node of ['n2', 'n3'])
      expect(
        cluster
          .at(node)
          .find(workers)
          .map(({ instance }) => instance),
      ).toEqual(found);
  }
});

test('without a store a registration ends in time, definite when nothing was sent that may have landed', async () => {
  await using cluster = await crowd();
  const ref = cluster.member('n1').system.spawn(worker);
  cluster.world.election(4_000);
  const registering = cluster.at('n1').register(workers, ref, { timeoutMs: 2_000 });
  await expect(cluster.world.until(registering)).rejects.toMatchObject({ code: 'unavailable', retryable: true, definite: false });
  await cluster.world.run(3_000);
  await cluster.world.until(cluster.at('n1').register(workers, ref));
  await cluster.world.run(200);
  expect(cluster.seen('n3')).toEqual(['n1']);
});

test('a program outside is listed while it renews its entry, left out after three missed heartbeats, and then deleted', async () => {
  await using cluster = await crowd();
  const { world, at } = cluster;
  const outsider = { key: '$clients', instance: 'c1', metadata: { name: 'shell' }, heartbeatMs: 1_000 };
  await world.until(at('n1').enter(outsider, { timeoutMs: 1_000 }));
  for (let beats = 0; beats < 10; beats++) {
    await world.run(1_000);
    expect(await world.until(at(`n${(beats % 3) + 1}`).renew('$clients', 'c1', { timeoutMs: 1_000 }))).toBe(true);
    expect(at('n3').listing('$clients')).toMatchObject([{ instance: 'c1', metadata: { name: 'shell' } }]);
  }
  await world.run(2_500);
  expect(at('n2').listing('$clients').length).toBe(1);
  await world.run(2_500);
  expect(at('n2').listing('$clients')).toEqual([]);
  await world.run(LOST_MS);
  expect(await cluster.stored()).toEqual([]);
  expect(await world.until(at('n1').renew('$clients', 'c1', { timeoutMs: 1_000 }))).toBe(false);
});

test('an outage of the store is nobody`s silence', async () => {
  await using cluster = await crowd();
  const { world, at } = cluster;
  await world.until(at('n1').enter({ key: '$clients', instance: 'c1', metadata: {}, heartbeatMs: 1_000 }, { timeoutMs: 1_000 }));
  world.election(20_000);
  await world.run(20_000);
  for (let beats = 0; beats < 3; beats++) {
    await world.run(1_500);
    await world.until(at('n1').renew('$clients', 'c1', { timeoutMs: 10_000 }));
  }
  expect(at('n2').listing('$clients').length).toBe(1);
  expect(await cluster.stored()).toEqual(['c1']);
});

test('an entry that cannot be read is left alone and hides nobody', async () => {
  await using cluster = await crowd();
  await cluster.join('n1');
  const within = { timeoutMs: 1_000 };
  for (const [index, value] of [
    new Uint8Array([0xc1]),
    codec.encode([2, 'future']),
    codec.encode([1, 'a', 'b', 'x', {}, 'n', 1, null]),
  ].entries())
    await cluster.world.until(cluster.services().create(`workers.bad${index}`, value, within));
  await cluster.world.run(LOST_MS);
  expect(cluster.seen('n2')).toEqual(['n1']);
  expect((await cluster.world.until(cluster.services().get('workers.bad1', within)))?.value).toEqual(codec.encode([2, 'future']));
});
