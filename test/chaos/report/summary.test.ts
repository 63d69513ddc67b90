import { expect, test } from 'vitest';
import type { Judged } from '../../../chaos/checkers/judged.ts';
import { reportOf } from '../../../chaos/report/report.ts';
import { summing } from '../../../chaos/report/summary.ts';
import { seedsText, summaryMarkdown } from '../../../chaos/report/summary-markdown.ts';
import { good, sampleRun } from './sample.ts';

const lost: Judged = { promise: 'M7', by: 'set', verdict: { verdict: 'bad', violations: ['17 is lost\nand more of it'] } };

function twoRuns() {
  const sum = summing();
  for (const [seed, more] of [[7, []] as const, [8, [lost]] as const]) {
    const sample = sampleRun();
    const run = { ...sample, plan: { ...sample.plan, seed }, ...(seed === 8 ? { leaks: ['process 4711'] } : {}) };
    sum.add(run, reportOf(run, [...good, ...more], 'nexa chaos run'));
  }
  return sum.summary();
}

test('runs are counted by their verdict, and each promise by what was said of it', () => {
  const { runs, promises, drills, operations, leaks } = twoRuns();
  expect(runs).toEqual({ pass: 1, fail: 1, unknown: 0 });
  expect(promises.M7).toEqual({ pass: 0, fail: 1, unknown: 0 });
  expect(drills).toEqual([expect.objectContaining({ drill: 'kill-node', world: 'namespaces', seeds: [7, 8] })]);
  const ok = sampleRun().works[0]?.operations.filter(({ outcome }) => outcome === 'ok').length ?? 0;
  expect(operations.ok).toBe(2 * ok);
  expect(leaks).toBe(1);
});

test('the times of a fault are those of all its runs, and what was left out is no fault', () => {
  const { faults } = twoRuns();
  expect(faults).toEqual([expect.objectContaining({ number: 'F1', world: 'namespaces', times: 2, agents: 4 })]);
  expect(faults[0]?.firstOkMs?.max).toBeGreaterThan(600);
});

test('a fault that each seed has so many times of is one kind', () => {
  const sum = summing();
  for (const count of [7, 8]) {
    const sample = sampleRun();
    const run = { ...sample, faults: [{ fault: { fault: 'garbage', count }, fromMs: 1_000, untilMs: 2_000, met: [] } as const] };
    sum.add(run, reportOf(run, good, 'nexa chaos run'));
  }
  expect(sum.summary().faults).toMatchObject([{ number: 'F20', text: 'garbage', times: 2 }]);
});

test('availability counts every stretch without an answer against the time in which keys were asked', () => {
  const { availability } = twoRuns();
  // Of six keys over 30 s each, two were silent for 0.4 and 0.6 s.
  expect(availability.withFaults).toBeGreaterThan(1 - 1.2 / 180);
  expect(availability.withFaults).toBeLessThan(1 - 0.8 / 180);
});

test('the text names the run of each violation, and nothing that was given is markup', () => {
  const text = summaryMarkdown(twoRuns());
  expect(text).toContain('- kill-node, seed 8, namespaces: M7 set: 17 is lost');
  expect(text).not.toContain('and more of it');
});

test('seeds are read as ranges', () => {
  expect(seedsText([3, 1, 2, 9, 20, 21])).toBe('1 … 3, 9, 20, 21');
});
