import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RoundsOptions, rounds } from '../../bench/suite/rounds.ts';
import type { Workload } from '../../bench/suite/workload.ts';
import { workloads } from './fake.ts';

const list = new URL('./fake.ts', import.meta.url).href;
const [faults, hanging, twoProcesses] = workloads as [Workload, Workload, Workload];
const folder = mkdtempSync(join(tmpdir(), 'nexa-test-bench-'));
beforeAll(() => {
  // Runs are processes of Node, which reads no TypeScript by itself; what they leave behind is looked for here.
  vi.stubEnv('NODE_OPTIONS', `--import ${import.meta.resolve('jiti/register')}`).stubEnv('TMPDIR', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const measure = (workload: Workload, options: Partial<RoundsOptions> = {}) =>
  rounds(workload, { rounds: 1, scale: 1, list, say: () => undefined, signal: new AbortController().signal, ...options });

test('who fails has no figure, is named with how, and leaves the others to go on', { timeout: 120_000 }, async () => {
  const { rows, lacking, failures } = await measure(faults, { rounds: 2 });
  expect(rows).toEqual([{ workload: 'faults', at: '', contender: 'nexa', values: { rate: [6, 6] } }]);
  expect(lacking).toEqual(['faults, absent: it is not installed']);
  expect(failures.map((failure) => failure.split('\n')[0])).toEqual([
    'faults, loses, round 1: 9 of 10 were accounted for',
    'faults, crashes, round 1: ended with 1',
    'faults, waits, round 1: ended with 13',
    'faults, says rubbish, round 1: rate is null',
  ]);
  expect(failures[1]).toContain('out of order');
  expect(readdirSync(folder)).toEqual([]);
});

test('a workload that takes long has fewer rounds', { timeout: 120_000 }, async () => {
  const { nexa } = faults.contenders;
  const rates = async (options: Partial<RoundsOptions>) =>
    (await measure({ ...faults, rounds: 2, contenders: { nexa } as Workload['contenders'] }, options)).rows.map(
      ({ values }) => values.rate,
    );
  expect(await rates({ rounds: 3 })).toEqual([[6, 6]]);
  expect(await rates({ rounds: 1 })).toEqual([[6]]);
});

test('who says nothing is given up', { timeout: 120_000 }, async () => {
  expect(await measure(hanging, { limitMs: 100 })).toEqual({
    rows: [],
    lacking: [],
    failures: [expect.stringContaining('hanging, nexa, round 1: was given up after 0.1 s')],
  });
});

test('a run has other processes, and fails with them', { timeout: 120_000 }, async () => {
  const { rows, failures } = await measure(twoProcesses);
  expect(rows.map(({ at, contender, values }) => [at, contender, values.rate])).toEqual([
    ['near', 'nexa', [6]],
    ['near', 'silent', [3]],
    ['far', 'nexa', [6]],
    ['far', 'silent', [3]],
  ]);
  expect(failures).toHaveLength(2);
  expect(failures[0]).toContain('far part 0 of is left alone ended with 3');
});

test('an interrupt ends what is under way', { timeout: 120_000 }, async () => {
  const aborted = new AbortController();
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    setImmediate(() => aborted.abort(new Error('enough')));
  };
  await expect(measure(hanging, { signal: aborted.signal, say })).rejects.toThrow('enough');
  expect(said).toEqual(['hanging: round 1 of 1, nexa']);
  expect(readdirSync(folder)).toEqual([]);
});
