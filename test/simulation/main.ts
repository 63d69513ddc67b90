// The simulation by itself, for as many seeds as there is time: npm run simulate -- [--seeds 1000] [--from 1] [--storm] [--nodes 3] [--trace]
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { NEVER, type Sometimes } from './observe.ts';
import { type Plan, planOf, stormOf, swarmOf } from './plan.ts';
import { simulate } from './run.ts';

const SAY_EVERY_MS = 5_000;
const SHRINK_MS = 60_000;
/** From so many seeds on, what never happened in any of them is a failure of the run. */
const ENOUGH = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    nodes: { type: 'string' },
    storm: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
function whole(name: string, given: string, from: number, to: number): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  console.error(`--${name} is a whole number ${from} … ${to}, and not ${given}`);
  process.exit(2);
}
const seeds = whole('seeds', values.seeds, 1, 10_000_000);
const from = whole('from', values.from, 0, 2 ** 32 - 1);
const nodes = values.nodes === undefined ? undefined : whole('nodes', values.nodes, 1, 100);
const { storm, trace } = values;

const plan = (seed: number): Plan => (storm ? stormOf(seed, nodes) : planOf(seed, swarmOf(seed, nodes)));
const replay = (seed: number): string =>
  `npm run simulate -- --seeds 1 --from ${seed}${storm ? ' --storm' : ''}${nodes === undefined ? '' : ` --nodes ${nodes}`} --trace`;

/** The fewest and mildest faults that still make it fail. */
async function shrunk(seed: number): Promise<Plan> {
  const holds = fc.asyncProperty(swarmOf(seed, nodes), async (tried) => (await simulate(seed, { plan: tried })).verdict.verdict !== 'bad');
  const found = await fc.check(holds, { examples: [[plan(seed)]], numRuns: 1, interruptAfterTimeLimit: SHRINK_MS });
  return found.counterexample?.[0] ?? plan(seed);
}

const total: Sometimes = { ...NEVER };
const failed: number[] = [];
let answered = 0;
let virtualMs = 0;
const fromMs = performance.now();
let saidMs = fromMs;
const say = (done: number): void => {
  saidMs = performance.now();
  const minutes = (saidMs - fromMs) / 60_000;
  console.log(
    `${done} of ${seeds} seeds, ${failed.length} failed, ${Math.round(done / minutes)} a minute, ` +
      `${answered} asks answered in ${(virtualMs / 3_600_000).toFixed(1)} virtual hours`,
  );
};

/** What was wrong with it. */
async function run(seed: number): Promise<readonly string[]> {
  try {
    const { seen, verdict, ok, virtualMs: lasted } = await simulate(seed, { plan: plan(seed), trace });
    for (const what of Object.keys(total) as (keyof Sometimes)[]) total[what] += seen[what];
    answered += ok;
    virtualMs += lasted;
    if (verdict.verdict === 'ok') return [];
    return verdict.verdict === 'bad' ? verdict.violations : [verdict.reason];
  } catch (error) {
    return [String(error)];
  }
}

for (let done = 0; done < seeds; done++) {
  const seed = from + done;
  const why = await run(seed);
  if (why.length > 0) {
    failed.push(seed);
    console.log(`seed ${seed} failed\n  ${why.slice(0, 5).join('\n  ')}\n  ${replay(seed)}`);
    // One is enough to begin with; the others have their line.
    if (failed.length === 1) console.log(`  the least that fails: ${JSON.stringify(await shrunk(seed))}`);
  }
  if (performance.now() - saidMs >= SAY_EVERY_MS) say(done + 1);
}
say(seeds);
console.log(
  Object.entries(total)
    .map(([what, times]) => `${what} ${times}`)
    .join(', '),
);
const never = seeds < ENOUGH ? [] : Object.entries(total).flatMap(([what, times]) => (times === 0 ? [what] : []));
if (never.length > 0) console.log(`never happened, so nothing of it was tested: ${never.join(', ')}`);
if (failed.length > 0 || never.length > 0) process.exit(1);
