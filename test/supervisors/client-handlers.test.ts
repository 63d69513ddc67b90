import { expect, test } from 'vitest';
import { clientHandlers } from '../../supervisors/client-handlers.ts';
import { calmCluster } from '../simulation/cluster.ts';

const GIVEN = { timeoutMs: 2_000 };
const WANTED = { version: 1, client: 'c1', name: 'shell', heartbeatMs: 5_000 };
const desks = async () => {
  const cluster = await calmCluster();
  return { ...cluster, desk: (node: string) => clientHandlers(cluster.member(node)), [Symbol.asyncDispose]: () => cluster.world.close() };
};

test('who is accepted is stored by then, every node lists it, any node takes its heartbeat and its farewell', async () => {
  await using cluster = await desks();
  const { world, desk } = cluster;
  const accepted = await world.until(desk('n1').connect(WANTED, GIVEN));
  expect(accepted).toEqual({ client: 'c1', cluster: 'sim', node: 'n1', heartbeatMs: 5_000, versions: [1] });
  expect(
    await world.until(world.network.connect('looker').stores.kv(world.subjects.store('SERVICES')).get('=JGNsaWVudHM.c1', GIVEN)),
  ).toMatchObject({ revision: expect.any(Number) });
  await world.run(100);
  const row = { client: 'c1', name: 'shell', node: 'n1', sinceMs: expect.any(Number), heartbeatMs: 5_000 };
  for (const node of ['n1', 'n2', 'n3']) expect(await desk(node).clients(10)).toEqual({ clients: [row], more: false });
  await world.until(desk('n2').beat('c1', GIVEN));
  await world.until(desk('n3').disconnect('c1', GIVEN));
  await expect(world.until(desk('n1').beat('c1', GIVEN))).rejects.toMatchObject({ code: 'no-such-actor' });
});

test('a repeat of the same client is one client; without an id it gets a fresh one', async () => {
  await using cluster = await desks();
  const { world, desk } = cluster;
  await world.until(desk('n1').connect(WANTED, GIVEN));
  await world.until(desk('n2').connect({ ...WANTED, name: 'again' }, GIVEN));
  const { client } = await world.until(desk('n1').connect({ version: 1, heartbeatMs: 5_000 }, GIVEN));
  await world.run(100);
  const { clients } = await desk('n3').clients(10);
  expect(clients.map((row) => [row.client, row.name]).sort()).toEqual(
    [
      [client, null],
      ['c1', 'again'],
    ].sort(),
  );
  expect((await desk('n3').clients(1)).more).toBe(true);
});

test('nobody is accepted whose entry is not known to be stored, and it is said that this is not certain', async () => {
  await using cluster = await desks();
  const { world, desk } = cluster;
  world.election(3_000);
  await expect(world.until(desk('n1').connect(WANTED, GIVEN))).rejects.toMatchObject({ code: 'unavailable', definite: false });
});

test('a node that is cordoned accepts nobody, and what it was asked it did not do', async () => {
  await using cluster = await desks();
  const { world, desk, member } = cluster;
  await world.until(member('n1').cluster.cordon(true, GIVEN));
  await expect(desk('n1').connect(WANTED, GIVEN)).rejects.toMatchObject({ code: 'unavailable', definite: true, where: { node: 'n1' } });
  expect(await desk('n1').clients(10)).toEqual({ clients: [], more: false });
});

test('services are found in pages that fit into one answer, and strangers register agents that exist', async () => {
  await using cluster = await desks();
  const { world, desk } = cluster;
  await expect(
    world.until(desk('n1').registerService({ service: 's', agent: { type: 'counter', id: 'nobody' } }, GIVEN)),
  ).rejects.toMatchObject({
    code: 'no-such-actor',
  });
  await cluster.spawn('counter', 'alice', 'n2');
  for (let index = 0; index < 150; index++) {
    const metadata = { text: 'x'.repeat(3_500), index };
    const wanted = { service: 's', agent: { type: 'counter', id: 'alice' }, instance: `i${index}`, metadata };
    await world.until(desk('n1').registerService(wanted, GIVEN));
  }
  const { services, more } = await desk('n1').findServices({ service: 's', limit: 1_000 });
  expect([services.length > 100, services.length < 150, more]).toEqual([true, true, true]);
  expect((await desk('n1').findServices({ service: 's', limit: 3, metadata: { index: 7 } })).services).toMatchObject([
    { service: 's', instance: 'i7', ref: 'nexa:counter/alice', node: null },
  ]);
  await world.until(desk('n1').deregisterService('s', 'i7', GIVEN));
  expect((await desk('n1').findServices({ service: 's', limit: 3, metadata: { index: 7 } })).services).toEqual([]);
});
