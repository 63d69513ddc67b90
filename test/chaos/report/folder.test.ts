import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { defaultFolder, openFolder, readFolder } from '../../../chaos/report/folder.ts';
import { reportOf } from '../../../chaos/report/report.ts';
import type { Run } from '../../../chaos/run.ts';
import { NexaError } from '../../../src/errors.ts';
import { failed } from '../support.ts';
import { good, sampleRun } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'nexa-drill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(folder, `${++made}`);
const kept = async (run: Run = sampleRun()): Promise<string> => {
  const path = fresh();
  const open = await openFolder(path, run.plan);
  await open.finish(run);
  await open.report(reportOf(run, good, 'again'), run);
  return path;
};

test('a folder gives back the run that it was given, and the same is thought of it', async () => {
  const run = sampleRun();
  const open = failed([29_000, Number.POSITIVE_INFINITY], { type: 'add', by: 1 }, 'info', { key: 5 });
  const works = run.works.map((work) => ({
    ...work,
    operations: [...work.operations, open].sort((a, b) => a.invokedAtMs - b.invokedAtMs),
  }));
  const path = await kept({ ...run, works });
  expect((await readdir(path)).sort()).toEqual(['history.jsonl', 'plan.json', 'report.html', 'report.json', 'report.md', 'run.json']);
  const back = await readFolder(path);
  expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify({ ...run, works })));
  expect(back.works[0]?.operations.find(({ outcome }) => outcome === 'fail')).toMatchObject({ error: expect.any(NexaError) });
  expect(back.works[0]?.operations.some(({ endedAtMs }) => endedAtMs === Number.POSITIVE_INFINITY)).toBe(true);
  expect(reportOf(back, good, 'again')).toEqual(reportOf({ ...run, works }, good, 'again'));
  expect(JSON.parse(await readFile(join(path, 'report.json'), 'utf8'))).toMatchObject({ version: 1, verdict: 'pass', plan: run.plan });
});

test('a drill that is killed leaves its plan and what was seen until then', async () => {
  const run = sampleRun();
  const path = fresh();
  const open = await openFolder(path, run.plan);
  for (const operation of run.works[0]?.operations.slice(0, 3) ?? []) open.ended({ workload: 'counter', operation });
  await open.discard();
  expect((await readdir(path)).sort()).toEqual(['history.jsonl', 'plan.json']);
  expect((await readFile(join(path, 'history.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(3);
  await expect(readFolder(path)).rejects.toMatchObject({ code: 'no-such-actor', where: { file: join(path, 'run.json') } });
});

test('a folder with something in it is a conflict, and so is a file; nothing of it is touched, and an empty one will do', async () => {
  const path = fresh();
  await mkdir(path);
  await writeFile(join(path, 'mine'), 'precious');
  await expect(openFolder(path, sampleRun().plan)).rejects.toMatchObject({ code: 'conflict', where: { folder: path } });
  await expect(openFolder(join(path, 'mine'), sampleRun().plan)).rejects.toMatchObject({ code: 'conflict' });
  expect(await readdir(path)).toEqual(['mine']);
  await rm(join(path, 'mine'));
  await (await openFolder(path, sampleRun().plan)).discard();
  await expect(readdir(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the default is named after when, what and from which seed', () => {
  expect(defaultFolder({ drill: 'kill-node', seed: 7 }, Date.UTC(2026, 2, 1, 12))).toBe('nexa-drills/2026-03-01T12-00-00-kill-node-7');
});

test('what is not there, no file, cut off, too large or of another form is refused with file and line or field', async () => {
  const refusal = async (change: (path: string) => Promise<unknown> | unknown) => {
    const path = await kept();
    await change(path);
    return readFolder(path).then(
      () => 'taken',
      ({ code, message, where }: NexaError) => `${code} ${where.line ?? where.field ?? ''} ${message}`,
    );
  };
  const edit = (file: string, how: (text: string) => string) => async (path: string) =>
    writeFile(join(path, file), how(await readFile(join(path, file), 'utf8')));
  const field = (how: (run: Record<string, never>) => void) =>
    edit('run.json', (text) => {
      const run = JSON.parse(text);
      how(run);
      return JSON.stringify(run);
    });

  await expect(readFolder(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'no-such-actor' });
  expect(await refusal((path) => rm(join(path, 'history.jsonl')))).toMatch(/^no-such-actor/);
  expect(
    await refusal(async (path) => {
      await rm(join(path, 'run.json'));
      execFileSync('mkfifo', [join(path, 'run.json')]);
    }),
  ).toMatch(/^invalid-message .*no file/);
  expect(await refusal(edit('plan.json', () => '{"version":9}'))).toMatch(/^unknown-version/);
  expect(await refusal(edit('plan.json', (text) => text.replace('"kill"', '"explode"')))).toMatch(/^invalid-message faults\[0\]/);
  expect(await refusal(edit('plan.json', () => ' '.repeat(2_000_000)))).toMatch(/^payload-too-large/);
  expect(await refusal(edit('run.json', (text) => text.slice(0, text.indexOf('"place"'))))).toMatch(
    /^invalid-message \d\d run\.json line \d\d/,
  );
  expect(await refusal(edit('run.json', (text) => text.replace('"events": [', '"events": [,')))).toMatch(
    /^invalid-message \d+ run\.json line/,
  );
  expect(await refusal(edit('run.json', () => '[]'))).toMatch(/^invalid-message /);
  expect(await refusal(field((run) => Object.assign(run, { endedAtMs: 'soon' })))).toMatch(/^invalid-message endedAtMs /);
  expect(await refusal(field((run) => Object.assign(run.events?.[3] as never, { event: null })))).toMatch(
    /^invalid-message events\[3\]\.event /,
  );
  expect(await refusal(field((run) => Object.assign(run.faults?.[0] as never, { fault: { fault: 'kill' } })))).toMatch(
    /^invalid-message faults\[0\]/,
  );
  expect(await refusal(field((run) => Object.assign(run, { works: {} })))).toMatch(/^invalid-message works /);
  expect(await refusal(edit('history.jsonl', (text) => text.slice(0, -20)))).toMatch(/^invalid-message 1800 history\.jsonl line 1800/);
  expect(await refusal(edit('history.jsonl', (text) => text.replace('"counter"', '"other"')))).toMatch(/no workload "other"/);
});
