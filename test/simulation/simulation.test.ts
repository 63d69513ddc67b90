import { expect, test } from 'vitest';
import { NEVER, type Sometimes } from './observe.ts';
import { planOf } from './plan.ts';
import { REGRESSIONS } from './regressions.ts';
import { type SimResult, simulate } from './run.ts';

/** `NEXA_SEED=7 NEXA_SEEDS=1` runs one seed and says what happened in it. */
const FROM = Number(process.env.NEXA_SEED ?? 1);
const COUNT = Number(process.env.NEXA_SEEDS ?? 300);
const seeds = [...Array(COUNT).keys()].map((index) => FROM + index);

const replayOf = (seed: number): string => `NEXA_SEED=${seed} NEXA_SEEDS=1 npx vitest run test/simulation/simulation.test.ts -t promises`;

test(`${COUNT} seeded clusters keep their promises through faults`, { timeout: 900_000 }, async () => {
  const total: Sometimes = { ...NEVER };
  const failed: SimResult[] = [];
  let answered = 0;
  for (const seed of COUNT === 1 ? seeds : [...new Set([...REGRESSIONS, ...seeds])]) {
    const result = await simulate(seed, { trace: COUNT === 1 });
    for (const what of Object.keys(total) as (keyof Sometimes)[]) total[what] += result.seen[what];
    answered += result.ok;
    if (result.verdict.verdict === 'ok') continue;
    failed.push(result);
    const { verdict } = result;
    console.log(`${replayOf(seed)}\n  ${verdict.verdict === 'bad' ? verdict.violations.slice(0, 5).join('\n  ') : verdict.reason}`);
    if (COUNT === 1) console.log(JSON.stringify(planOf(seed), undefined, 1));
  }
  console.log(`${answered} asks answered; ${JSON.stringify(total)}`);
  expect(failed.map(({ seed }) => replayOf(seed))).toEqual([]);
  // A run in which one of these never happened has tested nothing of it.
  if (COUNT >= 100) for (const [what, times] of Object.entries(total)) expect(times, what).toBeGreaterThan(COUNT / 20);
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
