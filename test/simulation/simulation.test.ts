import { expect, test } from 'vitest';
import { NEVER, type Sometimes } from './observe.ts';
import { type Plan, planOf, stormOf } from './plan.ts';
import { REGRESSIONS } from './regressions.ts';
import { simulate } from './run.ts';

/** `NEXA_SEED=7 NEXA_SEEDS=1` runs one seed and says what happened in it; `NEXA_STORM=1` takes the storm of that seed. */
const FROM = Number(process.env.NEXA_SEED ?? 1);
const COUNT = Number(process.env.NEXA_SEEDS ?? 3_000);
const STORM = process.env.NEXA_STORM === '1';

interface Case {
  readonly seed: number;
  readonly storm: boolean;
}
const replayOf = ({ seed, storm }: Case): string =>
  `NEXA_SEED=${seed} NEXA_SEEDS=1${storm ? ' NEXA_STORM=1' : ''} npx vitest run test/simulation/simulation.test.ts -t promises`;
const planOfCase = ({ seed, storm }: Case): Plan => (storm ? stormOf(seed) : planOf(seed));

/** Runs them all; the lines that replay those that failed, and what happened at all. */
async function all(cases: readonly Case[], trace: boolean) {
  const total: Sometimes = { ...NEVER };
  const failed: string[] = [];
  let answered = 0;
  for (const each of cases) {
    const { seen, verdict, ok } = await simulate(each.seed, { plan: planOfCase(each), trace });
    for (const what of Object.keys(total) as (keyof Sometimes)[]) total[what] += seen[what];
    answered += ok;
    if (verdict.verdict === 'ok') continue;
    failed.push(replayOf(each));
    console.log(`${replayOf(each)}\n  ${verdict.verdict === 'bad' ? verdict.violations.slice(0, 5).join('\n  ') : verdict.reason}`);
    if (trace) console.log(JSON.stringify(planOfCase(each), undefined, 1));
  }
  console.log(`${cases.length} clusters, ${answered} asks answered, ${JSON.stringify(total)}`);
  return { failed, total };
}

test(`${COUNT} seeded clusters keep their promises through faults`, { timeout: 60_000 + COUNT * 600 }, async () => {
  const cases = [...Array(COUNT).keys()].map((index) => ({ seed: FROM + index, storm: STORM || (COUNT > 1 && index % 5 === 4) }));
  const { failed, total } = await all(cases, COUNT === 1);
  expect(failed).toEqual([]);
  // A run in which one of these never happened has tested nothing of it.
  if (COUNT >= 100) for (const [what, times] of Object.entries(total)) expect(times, what).toBeGreaterThan(COUNT / 100);
});

test('what once failed holds', { timeout: 120_000 }, async () => {
  const { failed } = await all(REGRESSIONS, false);
  expect(failed).toEqual([]);
});

test('the same seed gives the same run, to the bit, whatever the time zone', async () => {
  const zone = process.env.TZ;
  for (const seed of [1, 2, 3]) {
    const first = await simulate(seed);
    process.env.TZ = 'Pacific/Chatham';
    const second = await simulate(seed);
    process.env.TZ = zone ?? 'UTC';
    expect(second).toEqual(first);
  }
  if (zone === undefined) delete process.env.TZ;
});
