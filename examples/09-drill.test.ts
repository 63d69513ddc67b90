// A drill in vitest against the user's own agents, with the user's own check: real servers and processes, or the simulation.

import { fileURLToPath } from 'node:url';
import type { Random } from 'nexa';
import { drill, type Fault, workload } from 'nexa/chaos';
import { expect, test } from 'vitest';
import { account, accountAgent } from './agents/account.ts';

type Op = { type: 'deposit'; cents: number } | { type: 'withdraw'; cents: number };
const bank = workload({
  name: 'bank',
  keys: 8,
  next: (random: Random): Op => ({ type: random.next() < 0.7 ? 'deposit' : 'withdraw', cents: 1 + Math.floor(random.next() * 100) }),
  run: (agents, key, op, options) => agents.agent(account, `k${key}`).ask(op, options),
  check: (history) => history.flatMap((op) => (op.outcome === 'ok' && op.result.cents < 0 ? [`k${op.key} went below zero`] : [])),
});
const plan: readonly Fault[] = [
  { fault: 'wait', forMs: 2_000 },
  { fault: 'kill', target: 'node' },
  { fault: 'partition', shape: 'minority', forMs: 8_000 },
  { fault: 'heal' },
];
const agents = fileURLToPath(new URL('agents', import.meta.url));

test.each(['simulation', 'processes'] as const)('no account is ever overdrawn: %s', { timeout: 240_000 }, async (world) => {
  const report = await drill({ plan, workload: bank, agents: world === 'simulation' ? [accountAgent] : agents, world, seed: 42 });
  expect(report.violations, report.replay).toEqual([]);
  expect(report.verdict).toBe('pass');
});
