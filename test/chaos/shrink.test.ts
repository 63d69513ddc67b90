import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planOf } from '../../chaos/drills/index.ts';
import type { Fault } from '../../chaos/fault.ts';
import type { Plan } from '../../chaos/plan.ts';
import { shrink } from '../../chaos/shrink.ts';
import { hoarding, simulated } from './drills/support.ts';

const plan = (faults: readonly Fault[]): Plan => ({ ...planOf('kill-node', { world: 'simulation', seed: 1 }), faults });
const wait = (forMs: number): Fault => ({ fault: 'wait', forMs });
const flat = (faults: readonly Fault[]): number[] =>
  faults.flatMap((fault) => (fault.fault === 'together' ? flat(fault.faults) : fault.fault === 'wait' ? [fault.forMs] : []));

test('of any list only what it fails with is left', async () => {
  const one = fc.nat(9).map(wait);
  const faults = fc.array(
    fc.oneof(
      one,
      fc.array(one, { minLength: 1, maxLength: 3 }).map((inner): Fault => ({ fault: 'together', faults: inner })),
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(faults, fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 2 }), async (list, guilty) => {
      const fails = async (tried: Plan): Promise<boolean> => guilty.every((each) => flat(tried.faults).includes(each));
      fc.pre(await fails(plan(list)));
      const shrunk = await shrink(plan(list), fails, { tries: 1_000 });
      expect(flat(shrunk.plan.faults).sort()).toEqual([...guilty].sort());
    }),
    { numRuns: 100, seed: 1 },
  );
});

test('it is tried so often and not more, and what fails always is left with nothing', async () => {
  let runs = 0;
  const counted = async (): Promise<boolean> => ++runs > 0 && false;
  expect((await shrink(plan(Array.from({ length: 50 }, (_, index) => wait(index))), counted, { tries: 7 })).tries).toBe(7);
  expect(runs).toBe(7);
  expect((await shrink(plan([wait(1), wait(2), wait(3)]), async () => true)).plan.faults).toEqual([]);
});

test('a planted bug that needs a takeover is left with the fault that makes one', { timeout: 120_000 }, async () => {
  const whole: Plan = {
    ...plan([
      { fault: 'clock-jump', byMs: 60_000 },
      { fault: 'delay', delayMs: 20, forMs: 1_000 },
      wait(1_500),
      {
        fault: 'together',
        faults: [
          { fault: 'kill', target: 'node', many: 'all', forMs: 2_000 },
          { fault: 'loss', percent: 1, forMs: 500 },
        ],
      },
      wait(3_000),
      { fault: 'clock-rate', rate: 1.02, forMs: 500 },
    ]),
    durationMs: 9_000,
    drill: 'script',
    workloads: ['counter'],
  };
  const fails = async (tried: Plan): Promise<boolean> => (await simulated(tried, { cluster: hoarding() })).verdict === 'fail';
  expect(await fails(whole)).toBe(true);
  expect(await fails({ ...whole, faults: [] })).toBe(false);
  const { plan: smaller, tries } = await shrink(whole, fails);
  expect(smaller.faults).toEqual([{ fault: 'kill', target: 'node', many: 'all', forMs: 2_000 }]);
  expect(tries).toBeLessThan(30);
});
