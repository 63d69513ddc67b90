import { expect, test } from 'vitest';
import { simulate } from './run.ts';

const FROM = Number(process.env.NEXA_SEED ?? 1);
const COUNT = Number(process.env.NEXA_SEEDS ?? 300);

test(`${COUNT} seeded clusters keep their promises through faults`, { timeout: 600_000 }, async () => {
  let takeovers = 0;
  for (let seed = FROM; seed < FROM + COUNT; seed++) {
    const result = await simulate(seed, { trace: COUNT === 1 });
    takeovers += result.takeovers;
    if (result.verdict.verdict !== 'ok') console.log(`NEXA_SEED=${seed}`, JSON.stringify(result.verdict).slice(0, 600).replaceAll('\\n', '\n'), result.ok, result.fail, result.info);
    expect.soft(result.verdict.verdict, `seed ${seed}`).toBe('ok');
  }
  console.log('takeovers', takeovers);
});
