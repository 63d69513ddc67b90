import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { type Plan, planOf, plansOf } from './plan.ts';
import { simulate } from './run.ts';

test('a failing plan of many faults shrinks to one', { timeout: 120_000 }, async () => {
  const kinds = plansOf(['crash', 'wall jump', 'store cut', 'clock rate']);
  const late = (name: string) => (name === 'n1' ? { ...DEFAULT_TIMES, ttlMs: 60_000 } : DEFAULT_TIMES);
  const holds = async (seed: number, plan: Plan): Promise<boolean> =>
    (await simulate(seed, { plan, timesOf: late })).verdict.verdict !== 'bad';
  let seed = 1;
  while (planOf(seed, kinds).faults.length === 1 || (await holds(seed, planOf(seed, kinds)))) seed++;
  const shrunk = await fc.check(
    fc.asyncProperty(kinds, async (plan) => expect(await holds(seed, plan)).toBe(true)),
    { examples: [[planOf(seed, kinds)]], numRuns: 1, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  );
  const [plan] = shrunk.counterexample ?? [];
  console.log(`seed ${seed}: ${planOf(seed, kinds).faults.length} faults shrink to ${JSON.stringify(plan?.faults)}`);
  expect(planOf(seed, kinds).faults.length).toBeGreaterThan(1);
  expect(plan?.faults).toHaveLength(1);
});
