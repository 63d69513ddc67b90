import { expect, test } from 'vitest';
import { counter, register } from '../../actors/builtin/index.ts';
import { SimWorld } from './world.ts';

test('three nodes form, an agent is spawned, answers, and answers elsewhere after its node crashed', async () => {
  const world = new SimWorld({ seed: 1, definitions: [counter, register], trace: true });
  await world.form();
  for (const name of ['n1', 'n2', 'n3']) await world.until(world.start(name));
  await world.run(2_000);
  const n1 = world.nodes.get('n1')?.member;
  if (n1 === undefined) throw new Error('n1 is not up');
  const spawned = await world.until(n1.agents.spawn({ type: 'counter', id: 'alice', timeoutMs: 5_000 }));
  expect(spawned.created).toBe(true);
  const ask = (member: NonNullable<typeof n1>, message: object) =>
    world.until(
      (member.system.unsafeRef('nexa:counter/alice') as never as { ask(m: object, o: object): Promise<unknown> }).ask(message, {
        timeoutMs: 10_000,
      }),
    );
  expect(await ask(n1, { type: 'add', by: 2 })).toEqual({ value: 2 });
  const owner = spawned.node as string;
  world.crash(owner, 10);
  const other = [...world.nodes.values()].find((node) => node.name !== owner)?.member;
  if (other === undefined) throw new Error('no other');
  const before = world.clock.monotonicMs();
  await ask(other, { type: 'add', by: 3 }).catch((error) => console.log(error.code));
  expect(await ask(other, { type: 'get' })).toEqual({ value: 2 });
  console.log('failover', world.clock.monotonicMs() - before);
  await world.close();
});
