import { testCluster } from 'nexa/testkit';
import { expect, test } from 'vitest';
import { account, accountAgent } from '../../examples/02-bank-account.ts';
import { transfer } from '../../examples/04-request-between-agents.ts';
import { subscription } from '../../examples/07-reminder.ts';

const T = { timeoutMs: 10_000 };

test.each([1, 2, 3, 4])('a transfer between agents of several nodes happens once, whoever is lost meanwhile: seed %i', async (seed) => {
  await using world = await testCluster({ seed, agents: [accountAgent, transfer], delayMs: [1, 30] });
  const [alice, bob] = [world.agent(account, 'alice'), world.agent(account, 'bob')];
  const { node } = await world.spawn(accountAgent, { id: 'alice', config: { overdraftCents: 0 }, placement: { node: 'n1' } });
  await world.spawn(accountAgent, { id: 'bob', config: { overdraftCents: 0 }, placement: { node: 'n2' } });
  await alice.ask({ type: 'deposit', cents: 100 }, T);
  const { ref } = await world.spawn(transfer, { id: 't1', placement: { node: 'n3' } });
  const start = { type: 'start', from: alice, to: bob, cents: 30 } as const;
  const first = ref.ask(start, T).catch(() => undefined);
  await world.advance(30 * seed);
  world.crash(node);
  await first;
  await world.advance(1_000);
  // As often as it takes: each step has an id of its own.
  expect(await ref.ask(start, T)).toEqual({ fromCents: 70, toCents: 30 });
  expect(await bob.ask({ type: 'withdraw', cents: 30 }, T)).toEqual({ cents: 0 });
});

test('too little money is refused as declared', async () => {
  await using world = await testCluster({ agents: [accountAgent, transfer] });
  for (const id of ['alice', 'bob']) await world.spawn(accountAgent, { id, config: { overdraftCents: 0 } });
  const { ref } = await world.spawn(transfer, { id: 't1' });
  const start = { type: 'start', from: world.agent(account, 'alice'), to: world.agent(account, 'bob'), cents: 1 } as const;
  await expect(ref.ask(start, T)).rejects.toMatchObject({ code: 'refused', refusal: 'insufficient-funds' });
});

test('a subscription that is put away between its charges is charged, until it is cancelled', async () => {
  const said: string[] = [];
  const log = {
    debug() {},
    info: (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`),
    warn() {},
    error() {},
    child: () => log,
  };
  await using world = await testCluster({ agents: [subscription], log });
  const ref = world.agent(subscription, 'alice');
  await ref.ask({ type: 'activate', everyMs: 3_600_000 }, T);
  await world.advance(24 * 3_600_000);
  await ref.ask({ type: 'activate', everyMs: 3_600_000 }, T);
  await world.advance(5_000);
  expect(said.filter((line) => line.startsWith('flushed')).map((line) => /"charged":(\d+)/.exec(line)?.[1])).toEqual(['0', '24']);
  // Once, and each time it was needed again.
  expect(said.filter((line) => line.startsWith('here')).length).toBeGreaterThanOrEqual(24);
  await ref.ask({ type: 'cancel' }, T);
  const before = said.filter((line) => line.startsWith('here')).length;
  await world.advance(24 * 3_600_000);
  expect(said.filter((line) => line.startsWith('here'))).toHaveLength(before);
});
