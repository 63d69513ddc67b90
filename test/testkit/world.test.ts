import fc from 'fast-check';
import { type Logger, NexaError } from 'nexa';
import { type TestCluster, testCluster } from 'nexa/testkit';
import { expect, test } from 'vitest';
import { ticker } from './agents.ts';

const T = { timeoutMs: 2_000 };
const NODES = ['n1', 'n2', 'n3'] as const;
const AGENTS = ['a', 'b'] as const;

type Act =
  | { readonly act: 'add' | 'durable' | 'spawn'; readonly agent: string; readonly via: string }
  | { readonly act: 'advance' | 'pause'; readonly node: string; readonly ms: number }
  | { readonly act: 'crash' | 'silent' | 'restart' | 'cut'; readonly node: string }
  | { readonly act: 'heal' };
const agent = fc.constantFrom(...AGENTS);
const node = fc.constantFrom(...NODES);
const ms = fc.integer({ min: 0, max: 8_000 });
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ act: fc.constantFrom('add' as const, 'durable' as const, 'spawn' as const), agent, via: node }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('advance' as const, 'pause' as const), node, ms }) },
    {
      weight: 2,
      arbitrary: fc.record({ act: fc.constantFrom('crash' as const, 'silent' as const, 'restart' as const, 'cut' as const), node }),
    },
    { weight: 1, arbitrary: fc.constant({ act: 'heal' as const }) },
  ),
  { minLength: 1, maxLength: 14 },
);

/** Every line that the world and its nodes log. */
function listening(lines: string[], given: object = {}): Logger {
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify({ ...given, ...fields })}`);
  return { debug: write, info: write, warn: write, error: write, child: (more) => listening(lines, { ...given, ...more }) };
}

interface Ran {
  readonly outcomes: readonly string[];
  readonly lines: readonly string[];
  /** Of each agent, at the end. */
  readonly values: readonly number[];
  /** Additions that were acknowledged, and those of which nobody knows. */
  readonly sure: ReadonlyMap<string, number>;
  readonly perhaps: ReadonlyMap<string, number>;
}
const tally = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

async function run(seed: number, plan: readonly Act[]): Promise<Ran> {
  const lines: string[] = [];
  const outcomes: string[] = [];
  const [sure, perhaps] = [new Map<string, number>(), new Map<string, number>()];
  await using world = await testCluster({ seed, agents: [ticker], leaseMs: 5_000, delayMs: [0, 15], log: listening(lines) });
  const through = (name: string) => world.nodes.find((each) => each.name === name) ?? world;
  const noted = async (what: string, work: () => Promise<unknown>): Promise<NexaError | undefined> => {
    try {
      outcomes.push(`${what}: ${JSON.stringify(await work())}`);
      return undefined;
    } catch (error) {
      if (!(error instanceof NexaError)) throw error;
      outcomes.push(`${what}: ${error.code}`);
      return error;
    }
  };
  for (const id of AGENTS) await world.spawn(ticker, { id });
  for (const each of plan) {
    if ('via' in each) {
      const at = through(each.via);
      const ref = at.agent(ticker, each.agent);
      if (each.act === 'spawn') {
        await noted('spawn', async () => (await at.spawn(ticker, { id: each.agent, timeoutMs: 2_000 })).node);
        continue;
      }
      const error = await noted(each.act, async () =>
        each.act === 'add' ? ref.ask({ type: 'add' }, T) : ref.tellDurably({ type: 'add' }, T),
      );
      if (error === undefined) tally(sure, each.agent);
      else if (!error.definite) tally(perhaps, each.agent);
    } else if (each.act === 'advance') await world.advance(each.ms);
    else if (each.act === 'pause') world.pause(each.node, each.ms);
    else if (each.act === 'crash') world.crash(each.node);
    else if (each.act === 'silent') world.crash(each.node, { silent: true });
    else if (each.act === 'restart') await noted('restart', () => world.restart(each.node));
    else if (each.act === 'cut') world.partition([each.node]);
    else world.heal();
  }
  const values = await afterwards(world);
  return { outcomes, lines, values, sure, perhaps };
}
/** Everything heals, everybody is back, and what was stored durably was handled. */
async function afterwards(world: TestCluster): Promise<readonly number[]> {
  world.heal();
  for (const { name, state } of world.nodes) if (state === 'stopped') await world.restart(name);
  await world.advance(60_000);
  const values: number[] = [];
  for (const id of AGENTS) values.push((await world.agent(ticker, id).ask({ type: 'get' }, T)).value);
  return values;
}

test('the same seed and the same acts give the same run, to every line of the log', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1_000_000 }), acts, async (seed, plan) => {
      const first = await run(seed, plan);
      expect(await run(seed, plan)).toEqual(first);
      expect(first.lines.length).toBeGreaterThan(0);
    }),
    { numRuns: 8, seed: 11 },
  );
});

test('another seed is another run', async () => {
  const plan: readonly Act[] = [{ act: 'add', agent: 'a', via: 'n1' }];
  expect((await run(1, plan)).lines).not.toEqual((await run(2, plan)).lines);
});

test('whatever is done to the world, what it acknowledged is there once it has healed, and nothing more than was tried', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1_000_000 }), acts, async (seed, plan) => {
      const { values, sure, perhaps } = await run(seed, plan);
      for (const [index, id] of AGENTS.entries()) {
        expect(values[index]).toBeGreaterThanOrEqual(sure.get(id) ?? 0);
        expect(values[index]).toBeLessThanOrEqual((sure.get(id) ?? 0) + (perhaps.get(id) ?? 0));
      }
    }),
    { numRuns: 40, seed: 12 },
  );
});
