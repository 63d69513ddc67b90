import { expect, test } from 'vitest';
import { z } from 'zod';
import { type AgentRef, command, defineAgent, defineEventSourced, defineProtocol } from '../../index.ts';
import { clientOver } from '../../src/client.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { ledger, read } from '../simulation/ledgers.ts';

const balance = z.object({ cents: z.int() });
const cents = z.int().positive();
const account = defineProtocol({
  type: 'account',
  version: 1,
  commands: {
    deposit: command({ cents }, { reply: balance }),
    withdraw: command({ cents }, { reply: balance, refusals: { 'insufficient-funds': balance } }),
  },
});
const accountAgent = defineEventSourced({
  ...account,
  events: { changed: { by: z.int() } },
  state: balance,
  initial: { cents: 0 },
})
  .apply({ changed: (state, { by }) => ({ cents: state.cents + by }) })
  .handle({
    deposit: (_context, { cents }) => ({ events: [{ type: 'changed', by: cents }], reply: (state) => state }),
    withdraw: ({ state }, { cents }) =>
      state.cents < cents
        ? { refused: 'insufficient-funds', details: state }
        : { events: [{ type: 'changed', by: -cents }], reply: (after) => after },
  });

test('M7: a program outside tells an event-sourced agent durably, with the protocol alone, and asks it then', async () => {
  await using cluster = await calmCluster({ agents: [accountAgent] });
  const { world } = cluster;
  await cluster.spawn('account', 'alice', 'n1');
  const { transport } = world.network.connect('client');
  const client = clientOver({ transport, subjects: world.subjects, clock: world.clock, random: seededRandom(5) });
  const alice: AgentRef<typeof account.commands> = client.agent(account, 'alice');
  const salary = { timeoutMs: 2_000, messageId: 'salary-2026-11' };
  for (let month = 0; month < 3; month++) await world.until(alice.tellDurably({ type: 'deposit', cents: 100 }, salary));
  await world.run(500);
  expect(await world.until(alice.ask({ type: 'withdraw', cents: 50 }, { timeoutMs: 1_000 }))).toEqual({ cents: 50 });
  cluster.world.crash('n1', 50);
  await world.run(150_000);
  await world.until(alice.tellDurably({ type: 'deposit', cents: 100 }, salary));
  await world.until(alice.tellDurably({ type: 'withdraw', cents: 1_000 }, { timeoutMs: 2_000 }));
  await world.run(1_000);
  expect(await world.until(alice.ask({ type: 'withdraw', cents: 50 }, { timeoutMs: 1_000 }))).toEqual({ cents: 0 });
  await expect(alice.tellDurably({ type: 'deposit', cents: 1 }, { timeoutMs: 1_000, messageId: 'a b' })).rejects.toMatchObject({
    code: 'invalid-message',
  });
  // @ts-expect-error the fields are those of the command
  await expect(world.until(alice.tellDurably({ type: 'deposit' }, { timeoutMs: 1_000 }))).rejects.toMatchObject({
    code: 'invalid-message',
  });
  await client[Symbol.asyncDispose]();
});

test('M7: an agent tells another one durably through its gate: while it holds no lease nothing leaves, and its handler is told so in time', async () => {
  const { agent } = ledger('ledger');
  const outcomes: string[] = [];
  const sender = defineAgent({
    type: 'sender',
    version: 1,
    commands: { pass: command({ entry: z.string(), timeoutMs: z.int(), waitMs: z.int() }) },
    state: z.null(),
    initial: null,
    storage: 'memory',
  }).handle({
    async pass(context, { entry, timeoutMs, waitMs }) {
      await new Promise<void>((resolve) => void context.clock.after(waitMs, resolve));
      const to = context.agent(agent, 'a');
      await to.tellDurably({ type: 'write', entry }, { timeoutMs }).then(
        () => outcomes.push('stored'),
        (error) => outcomes.push(error.code),
      );
      return undefined;
    },
  });
  await using cluster = await calmCluster({ agents: [agent, sender] });
  const { world } = cluster;
  await cluster.spawn('ledger', 'a', 'n2');
  await cluster.spawn('sender', 's', 'n1');
  const pass = (entry: string, timeoutMs: number, waitMs = 0) =>
    cluster.asking('n1', 'sender/s', { type: 'pass', entry, timeoutMs, waitMs }, { timeoutMs: 30_000 });
  const first = pass('one', 2_000);
  await world.until(first.done);
  expect(outcomes).toEqual(['stored']);
  pass('too late', 1_000, 8_000);
  await world.run(100);
  world.network.faults.cutStore('n1');
  await world.run(9_500);
  expect(outcomes).toEqual(['stored', 'ask-timeout']);
  world.network.faults.heal('n1');
  await world.run(20_000);
  expect(await read(cluster, 'n2', 'ledger/a')).toEqual(['one']);
});

test('M7: who has no durable mailbox is no place to tell durably', async () => {
  const { agent } = ledger('ledger');
  await using cluster = await calmCluster({ agents: [agent] });
  const { system } = cluster.member('n1');
  const here = system.refOf({ kind: 'incarnation', node: 'n1', nodeIncarnation: 1, path: 'cluster', uid: 0 });
  await expect(system.tellDurably(here, { type: 'ping' }, { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: 'unavailable',
    retryable: false,
  });
});
