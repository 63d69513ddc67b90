import { expect, test } from 'vitest';
import { CALM, type Fault } from './plan.ts';
import { simulate } from './run.ts';

test('a hundred nodes, five of which crash and one of which is cut off: the same checkers, and all of it recovers', {
  timeout: 240_000,
}, async () => {
  const crashes = ['n7', 'n23', 'n42', 'n65', 'n99'].map(
    (node): Fault => ({ fault: 'crash with proof', node, other: 'n1', afterMs: 900, forMs: 4_000 }),
  );
  const cut: Fault = { fault: 'store cut', node: 'n50', other: 'n1', afterMs: 100, forMs: 6_500 };
  const fromMs = performance.now();
  const { verdict, seen, ok, recoveredMs, virtualMs } = await simulate(1, {
    plan: { nodes: 100, loads: ['counters', 'lists', 'churn'], weather: CALM, faults: [cut, ...crashes] },
  });
  const tookS = ((performance.now() - fromMs) / 1_000).toFixed(1);
  console.log(
    `100 nodes, ${(virtualMs / 1_000).toFixed(0)} virtual seconds in ${tookS} s; ${ok} asks answered; recovered in ${recoveredMs} ms`,
  );
  expect(verdict).toEqual({ verdict: 'ok' });
  expect(seen.takeovers).toBeGreaterThan(0);
});
