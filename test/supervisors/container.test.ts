import { afterEach, expect, test } from 'vitest';
import { virtualClock } from '../../src/memory/virtual-clock.ts';
import { systemClock } from '../../src/system-clock.ts';
import { nodeContainer, type Services } from '../../supervisors/container.ts';

const made: Services[] = [];
const services = async (options: Parameters<typeof nodeContainer>[0]): Promise<Services> => {
  const one = await nodeContainer(options);
  made.push(one);
  return one;
};
afterEach(async () => {
  for (const { broker, engine } of made.splice(0)) {
    engine.stop();
    await broker.close();
  }
});

test('two nodes of one process share no service but what they were given', async () => {
  const clock = virtualClock();
  const one = await services({ name: 'n1', nats: 'memory', clock });
  const two = await services({ name: 'n2', nats: 'memory', clock });
  expect(one.clock).toBe(clock);
  expect(two.clock).toBe(clock);
  for (const name of ['broker', 'engine', 'codec'] as const) expect(one[name]).not.toBe(two[name]);
});

test('what is not given is the system’s', async () => {
  const { clock, broker } = await services({ name: 'n1', nats: 'memory' });
  expect(clock).toBe(systemClock);
  expect(broker.server).toBe('memory');
});

test('a given broker is the one that is used', async () => {
  const { broker } = await services({ name: 'n1', nats: 'memory' });
  expect((await services({ name: 'n2', nats: 'memory', broker })).broker).toBe(broker);
});

test('an unreachable server is a typed error', async () => {
  await expect(nodeContainer({ name: 'n1', nats: [] })).rejects.toMatchObject({ code: 'invalid-definition' });
});
