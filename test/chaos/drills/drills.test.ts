import { describe, expect, test } from 'vitest';
import { DRILLS, drillNamed, planOf } from '../../../chaos/drills/index.ts';
import { lacking } from '../../../chaos/faults/index.ts';
import type { Plan } from '../../../chaos/plan.ts';
import { formatPlan, parsePlan } from '../../../chaos/plan-file.ts';
import type { Progress } from '../../../chaos/runner/progress.ts';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import type { World } from '../../../chaos/world.ts';
import { openSimulation } from '../../../chaos/worlds/simulation.ts';
import { hoarding, simulated, whyNot } from './support.ts';

const short = (name: string, seed: number, more: Partial<Plan> = {}): Plan => ({
  ...planOf(name, { world: 'simulation', seed, durationMs: 45_000 }),
  ...more,
});
const world = await openSimulation({ seed: 1, nodes: 1, servers: 1 });
const simulates = (name: string, of: Pick<World, 'kind' | 'cannot'> = world): boolean =>
  drillNamed(name).swarm === true ||
  planOf(name, { world: 'simulation', seed: 1 }).faults.every((fault) => lacking(fault, of as World) === undefined);
const names = Object.keys(DRILLS);
await world.close();

describe('each drill', () => {
  test.each(names)('%s is a plan that a file can hold, of work that there is, the same for one seed', (name) => {
    for (const seed of [0, 7, 2 ** 32 - 1]) {
      const plan = planOf(name, { world: 'processes', seed });
      expect(parsePlan(formatPlan(plan))).toEqual(plan);
      expect(planOf(name, { world: 'processes', seed })).toEqual(plan);
    }
    expect(DRILLS[name]?.workloads.filter((each) => !Object.hasOwn(WORKLOADS, each))).toEqual([]);
  });

  test.each(names)('%s of a minute or of eight hours is a plan', (name) => {
    for (const durationMs of [1_000, 60_000, 28_800_000]) {
      const plan = planOf(name, { world: 'processes', seed: 3, durationMs });
      expect(plan.faults.length).toBeGreaterThan(0);
      expect(parsePlan(formatPlan(plan))).toEqual(plan);
    }
  });

  test.each(names.filter((name) => simulates(name)))('%s holds in the simulation', { timeout: 60_000 }, async (name) => {
    const came = await simulated(short(name, 1));
    expect(came.verdict, whyNot(came)).toBe('pass');
    expect(Object.keys(came.promises)).toEqual(expect.arrayContaining(['C5', 'C6', ...drillNamed(name).promises]));
  });

  test('most of them can be simulated', () => {
    expect(names.filter((name) => !simulates(name))).toEqual(['disk-full', 'slow-consumer']);
  });
});

test('an unknown drill lists those there are', () => {
  for (const name of ['tsunami', '__proto__', 'toString'])
    expect(() => drillNamed(name)).toThrow(
      expect.objectContaining({ code: 'invalid-message', message: expect.stringContaining('kill-node') }),
    );
});

test('one seed gives one run, to the microsecond of every answer', { timeout: 60_000 }, async () => {
  const [one, other, another] = [
    await simulated(short('everything', 5)),
    await simulated(short('everything', 5)),
    await simulated(short('everything', 6)),
  ];
  expect(JSON.stringify(one.run)).toBe(JSON.stringify(other.run));
  expect(JSON.stringify(another.run)).not.toBe(JSON.stringify(one.run));
});

test('a node that keeps what it acknowledged to itself is found, and the promise named', { timeout: 60_000 }, async () => {
  const came = await simulated(short('kill-node', 1), { cluster: hoarding() });
  expect(came.verdict).toBe('fail');
  expect(came.violations.join('\n')).toMatch(/^C[348] /m);
});

test('what a world cannot do is said before anything begins', async () => {
  let opened = 0;
  const plan = planOf('disk-full', { world: 'simulation', seed: 1 });
  const open = async (...given: Parameters<typeof openSimulation>) => {
    opened++;
    return openSimulation(...given);
  };
  await expect(simulated(plan, { open })).rejects.toMatchObject({ code: 'unavailable', where: { field: 'faults[0]' } });
  expect(opened).toBe(1);
});

test('a drill that is given up keeps what was seen, and is unknown', { timeout: 60_000 }, async () => {
  const giveUp = new AbortController();
  const phases: Progress[] = [];
  const came = await simulated(short('kill-node', 1), {
    signal: giveUp.signal,
    onProgress: (progress) => {
      phases.push(progress);
      if (progress.atMs > 9_000) giveUp.abort(new Error('enough'));
    },
  });
  expect(came.run.incomplete).toEqual(['given up: enough']);
  expect(came.verdict).toBe('unknown');
  expect(came.run.endedAtMs).toBeLessThan(12_000);
  expect(came.run.works[0]?.operations.length).toBeGreaterThan(20);
  expect([...new Set(phases.map(({ phase }) => phase))]).toEqual(['opening', 'starting', 'quiet', 'faults', 'closing']);
});

test('progress tells the fault in force and what came of the calls', { timeout: 60_000 }, async () => {
  const told: Progress[] = [];
  await simulated(short('kill-node', 1, { durationMs: 15_000 }), { onProgress: (progress) => void told.push(progress) });
  expect([...new Set(told.map(({ phase }) => phase))]).toEqual(['opening', 'starting', 'quiet', 'faults', 'healing', 'ending', 'closing']);
  expect(told.some(({ faults: [fault] }) => fault?.fault === 'kill')).toBe(true);
  expect(told.at(-1)?.operations.ok).toBeGreaterThan(100);
  expect(told.at(-1)?.faults).toEqual([]);
});

test('a run in which nothing was taken over does not show what it is there for', { timeout: 60_000 }, async () => {
  const came = await simulated({ ...short('kill-node', 1), faults: [{ fault: 'wait', forMs: 5_000 }], durationMs: 5_000 });
  expect(came.verdict).toBe('unknown');
  expect(came.run.incomplete).toEqual([expect.stringContaining('taken over')]);
});
