import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DRILL_AGENTS } from '../../chaos/agents/index.ts';
import { judge } from '../../chaos/checkers/judge.ts';
import type { Fault } from '../../chaos/fault.ts';
import { readFolder } from '../../chaos/report/folder.ts';
import { replayOf } from '../../chaos/report/replay.ts';
import { reportOf } from '../../chaos/report/report.ts';
import type { Run } from '../../chaos/run.ts';
import { type FolderRunOptions, runInFolder } from '../../chaos/run-in-folder.ts';
import { WORKLOADS } from '../../chaos/workloads/index.ts';
import type { WorkKind } from '../../chaos/workloads/work.ts';
import { openSimulation } from '../../chaos/worlds/simulation.ts';
import { NexaError } from '../../src/errors.ts';

const root = mkdtempSync(join(tmpdir(), 'nexa-drills-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const judged = (run: Run) => judge(run, { workloads: WORKLOADS });
const options = (faults: readonly Fault[], more: Partial<FolderRunOptions> = {}): FolderRunOptions => ({
  plan: {
    ...{ version: 1, drill: 'mine', seed: 5, world: 'simulation', nodes: 3, servers: 3, durationMs: 8_000 },
    workloads: ['counter'],
    faults,
  },
  works: [WORKLOADS.counter as WorkKind],
  open: (asked) => openSimulation({ ...asked, agents: DRILL_AGENTS }),
  folder: join(root, `${++made}`),
  judge: judged,
  replay: (plan, folder) => replayOf(plan, undefined, folder),
  ...more,
});

test('a run is kept with its report, and the same is thought of it when it is read again', async () => {
  const given = options([{ fault: 'kill', target: 'node', forMs: 3_000 }]);
  const { report, folder } = await runInFolder(given);
  expect(report).toMatchObject({ verdict: 'pass', incomplete: [], promises: { C8: { verdict: 'pass' } } });
  expect(report.faults[0]).toMatchObject({ number: 'F1', met: [expect.stringMatching(/^n[123]$/)] });
  expect(report.faults[0]?.agents).toBeGreaterThan(0);
  expect(report.faults[0]?.takenOverMs?.max).toBeLessThan(5_000);
  expect(report.faults[0]?.silent).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(['history.jsonl', 'plan.json', 'report.html', 'report.json', 'report.md', 'run.json']);
  const again = await readFolder(folder);
  expect(JSON.parse(JSON.stringify(reportOf(again, judged(again), report.replay)))).toEqual(
    JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')),
  );
});

test('a run that is given up is kept, and is no pass', async () => {
  const controller = new AbortController();
  const { report, folder } = await runInFolder(
    options([], {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'faults' && controller.abort(new NexaError('cancelled', 'by hand')),
    }),
  );
  expect(report.verdict).toBe('unknown');
  expect(report.incomplete).toContain('given up: by hand');
  expect(await readdir(folder)).toContain('report.html');
});

test('what cannot begin leaves nothing, and touches nothing that is there', async () => {
  const refused = options([], { open: async () => Promise.reject(new NexaError('unavailable', 'not here')) });
  await expect(runInFolder(refused)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(readdir(refused.folder)).rejects.toMatchObject({ code: 'ENOENT' });
  const impossible = options([{ fault: 'disk-full', target: 'server', forMs: 1_000 }]);
  await expect(runInFolder(impossible)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(readdir(impossible.folder)).rejects.toMatchObject({ code: 'ENOENT' });
  const mine = join(root, `${++made}`);
  await writeFile(mine, 'precious');
  await expect(runInFolder(options([], { folder: mine }))).rejects.toMatchObject({ code: 'conflict' });
  expect(await readFile(mine, 'utf8')).toBe('precious');
});

test('a drill as it is by name is run again by its name, any other plan from its file', () => {
  const { plan } = options([]);
  expect(replayOf(plan, structuredClone(plan), 'x')).toBe(
    `npx nexa chaos run mine --seed 5 --world simulation --minutes ${8 / 60} --nodes 3 --servers 3 --workload counter`,
  );
  expect(replayOf(plan, undefined, 'nexa-drills/x')).toBe('npx nexa chaos run --script nexa-drills/x/plan.json');
  expect(replayOf(plan, { ...plan, faults: [{ fault: 'poison' }] }, `it's`)).toBe(`npx nexa chaos run --script 'it'\\''s/plan.json'`);
});
