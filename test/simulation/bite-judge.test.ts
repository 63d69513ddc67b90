import { expect, test, vi } from 'vitest';
import type * as Judge from '../../src/cluster/judge.ts';
import { CALM, type Fault } from './plan.ts';
import { simulate } from './run.ts';

const broken = vi.hoisted(() => ({ judge: false }));

/** A judge that counts the time since it last looked, whether its own renewals succeeded meanwhile or not, and never starts over. */
vi.mock('../../src/cluster/judge.ts', async (original) => {
  const real = await original<typeof Judge>();
  const hasty: typeof real.judge = (times) => {
    const step = real.judge({ ...times, renewMs: Number.POSITIVE_INFINITY });
    return (state, input, nowMs) => (input.input === 'copy-restarted' ? [state, []] : step(state, input, nowMs));
  };
  return { ...real, judge: (times: Parameters<typeof real.judge>[0]) => (broken.judge ? hasty(times) : real.judge(times)) };
});

const elections: readonly Fault[] = [1, 2, 3].map((time) => ({
  ...{ fault: 'election', node: 'n1', other: 'n2', afterMs: 1_000 + 2_000 * time, forMs: 8_000 },
}));

test('a judge that takes a store without a leader for silence ends healthy nodes; ours moves nothing', { timeout: 60_000 }, async () => {
  const plan = { nodes: 3, loads: ['counters', 'churn'] as const, weather: { ...CALM, watchMs: 800 }, faults: elections };
  const over = async (): Promise<number> => {
    let ended = 0;
    for (let seed = 1; seed <= 12; seed++) ended += (await simulate(seed, { plan })).seen.over;
    return ended;
  };
  broken.judge = false;
  expect(await over()).toBe(0);
  broken.judge = true;
  expect(await over()).toBeGreaterThan(0);
});
