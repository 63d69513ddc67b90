import { afterEach, expect, test } from 'vitest';
import { account, accountAgent } from '../../../examples/02-bank-account.ts';
import { type NexaError, type NexaNode, refusedBy, startNode } from '../../../index.ts';

const WITHIN = { timeoutMs: 5_000 };
const nodes: NexaNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
const started = async (...agents: NonNullable<NonNullable<Parameters<typeof startNode>[0]>['agents']>): Promise<NexaNode> => {
  const node = await startNode({ nats: 'memory', agents });
  nodes.push(node);
  return node;
};
const failure = (promise: Promise<unknown>): Promise<NexaError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error as NexaError,
  );

test('the example: events become state, a reply follows from it, refusals and a repeat change nothing', async () => {
  const node = await started(accountAgent);
  const { ref } = await node.spawn(accountAgent, { id: 'a', config: { overdraftCents: 50 } });
  expect(await ref.ask({ type: 'deposit', cents: 100 }, WITHIN)).toEqual({ cents: 100 });
  expect(await ref.ask({ type: 'withdraw', cents: 120 }, { ...WITHIN, requestId: 'w1' })).toEqual({ cents: -20 });
  expect(await ref.ask({ type: 'withdraw', cents: 120 }, { ...WITHIN, requestId: 'w1' })).toEqual({ cents: -20 });
  const refused = refusedBy(account.commands.withdraw, await failure(ref.ask({ type: 'withdraw', cents: 31 }, WITHIN)));
  expect(refused).toMatchObject({ refusal: 'insufficient-funds', details: { cents: -20 } });
  // It is put away, and its next message replays it.
  await ref.ask({ type: 'close' }, WITHIN);
  expect(refusedBy(account.commands.withdraw, await failure(ref.ask({ type: 'withdraw', cents: 1 }, WITHIN)))).toMatchObject({
    refusal: 'closed',
  });
  expect(await ref.ask({ type: 'deposit', cents: 1 }, WITHIN)).toEqual({ cents: -19 });
});
