import { expect, test } from 'vitest';
import { handOff } from '../../src/cluster/hand-off.ts';
import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import { virtualClock } from '../../src/memory/virtual-clock.ts';

const record = (node: string | undefined): AgentRecord =>
  ({ desired: 'running', owner: node === undefined ? undefined : { node, incarnation: 1 } }) as AgentRecord;
const reason = { prefer: 'n2', why: 'a test', cause: 'rebalance' } as const;

function begun(epoch: number) {
  const clock = virtualClock();
  const running = { epoch };
  const locals = { release: () => true, running: () => ({ record: record('n1'), ...running }) } as unknown as LocalAgents;
  const given = handOff({ self: { node: 'n1', incarnation: 1 }, locals, clock });
  const seen = (node: string | undefined, revision: number) =>
    given.changed('counter.a', { key: 'counter.a', value: record(node), revision });
  return { clock, running, given, seen };
}

test('it is handed off once another node owns it, whatever is still said of its old epoch', async () => {
  const { given, seen } = begun(7);
  const taken = given.give('counter.a', reason);
  seen('n1', 7);
  seen(undefined, 8);
  seen('n2', 9);
  expect(await taken).toBe(true);
});

test('it is not, as soon as this node has it again: whoever gives it once more is not told so for five seconds', async () => {
  const { given, seen, running } = begun(7);
  const taken = given.give('counter.a', reason);
  seen(undefined, 8);
  running.epoch = 9;
  seen('n1', 9);
  expect(await taken).toBe(false);
  const again = given.give('counter.a', reason);
  seen('n2', 10);
  expect(await again).toBe(true);
});
