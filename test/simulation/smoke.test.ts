import { expect, test } from 'vitest';
import { calmCluster } from './cluster.ts';

test('three nodes form, an agent is spawned, answers, and answers elsewhere with its state after its node crashed', async () => {
  await using cluster = await calmCluster();
  expect(await cluster.spawn('counter', 'alice', 'n2')).toMatchObject({ node: 'n2', created: true });
  expect(await cluster.ask('n1', 'counter/alice', { type: 'add', by: 2 })).toEqual({ value: 2 });
  cluster.world.crash('n2', 10);
  await cluster.world.run(2_000);
  expect(await cluster.ask('n3', 'counter/alice', { type: 'get' })).toEqual({ value: 2 });
});
