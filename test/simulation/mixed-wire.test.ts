import { expect, test } from 'vitest';
import { simulate } from './run.ts';

/** `NEXA_SEED=7 NEXA_SEEDS=1` runs one seed and says what happened in it. */
const FROM = Number(process.env.NEXA_SEED ?? 1);
const COUNT = Number(process.env.NEXA_SEEDS ?? 40);
/** Each seed updates one more node: only n1 is of the release before this one, n1 and n2 are, and so on. */
const olderIn = (seed: number): readonly string[] => [['n1'], ['n1', 'n2'], ['n3']][seed % 3] as readonly string[];

test(`C9: ${COUNT} clusters of nodes of wire 1 beside nodes of wire 2 keep their promises through faults`, {
  timeout: 300_000,
}, async () => {
  const failed: string[] = [];
  let answered = 0;
  for (let seed = FROM; seed < FROM + COUNT; seed++) {
    const older = olderIn(seed);
    const wireVersionsOf = (node: string): readonly number[] => (older.includes(node) ? [1] : [2, 1]);
    const { verdict, ok } = await simulate(seed, { wireVersionsOf, trace: COUNT === 1 });
    answered += ok;
    if (verdict.verdict === 'ok') continue;
    failed.push(
      `NEXA_SEED=${seed} NEXA_SEEDS=1 npx vitest run test/simulation/mixed-wire.test.ts: ` +
        (verdict.verdict === 'bad' ? verdict.violations.slice(0, 5).join('; ') : verdict.reason),
    );
  }
  console.log(`${COUNT} clusters of two wire versions, ${answered} asks answered`);
  expect(failed).toEqual([]);
});
