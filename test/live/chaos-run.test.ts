import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsServerBinary } from '../support/nats.ts';
import { nexa, program } from './program.ts';
import { eventually, processesOf, send } from './support.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexa-chaos-run-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const short = ['--minutes', '0.2', '--workload', 'counter,register,list', '--seed', '7', '--servers', '1'];

test('C5: nexa chaos run kills a real node of a cluster of its own, and its folder is judged the same again', async () => {
  const folder = join(root, 'killed');
  const ran = await nexa('chaos', 'run', 'kill-node', ...short, '--folder', folder);
  expect(ran, ran.stdout + ran.stderr).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(/^verdict +pass +kill-node, seed 7, processes in (namespaces|sudo|proxies)/),
  });
  const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
  expect(report).toMatchObject({
    leaks: [],
    incomplete: [],
    promises: { C3: { verdict: 'pass' }, C5: { verdict: 'pass' }, C8: { verdict: 'pass' } },
  });
  expect(report.faults[0]).toMatchObject({ number: 'F1', silent: 0, movedNeedlessly: 0 });
  expect(report.seen.exits).toMatchObject({ [`${report.faults[0].met[0]} SIGKILL`]: expect.any(Number) });
  expect(await nexa('chaos', 'check', folder)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^verdict +pass/) });
});

test('Ctrl-C mends and ends a drill on real processes: what was seen is kept, nothing is left, exit 7', async () => {
  const folder = join(root, 'stopped');
  const drill = program(['chaos', 'run', 'kill-node', '--minutes', '5', '--workload', 'counter', '--servers', '1', '--folder', folder]);
  await drill.says(/\nkill one node/);
  send(drill.pid, 'SIGINT');
  expect(await drill.ended).toBe(7);
  expect(drill.stdout).toMatch(/^verdict +unknown/);
  expect(drill.stdout).toContain('given up: stopped by hand');
  expect((await readdir(folder)).sort()).toEqual([
    'history.jsonl',
    'logs',
    'plan.json',
    'report.html',
    'report.json',
    'report.md',
    'run.json',
  ]);
  const { leaks } = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
  expect(leaks).toEqual([]);
  await eventually('nothing of it is left', 30_000, () => processesOf(folder).length === 0);
});

test('a second Ctrl-C waits for nothing, and nothing is left of it all the same', async () => {
  const folder = join(root, 'hurried');
  const temporary = join(root, 'temporary');
  await mkdir(temporary);
  const drill = program(['chaos', 'run', 'kill-node', '--minutes', '5', '--workload', 'counter', '--servers', '1', '--folder', folder], {
    TMPDIR: temporary,
  });
  await drill.says(/\nkill one node/);
  expect(processesOf(temporary)).not.toEqual([]);
  // Two that are heard at once are one to a process that was busy meanwhile.
  const insisting = setInterval(() => send(drill.pid, 'SIGINT'), 200);
  expect(await drill.ended.finally(() => clearInterval(insisting))).toBe(1);
  await eventually('nothing of it is left', 20_000, async () => {
    return processesOf(temporary).length === 0 && (await readdir(temporary)).length === 0;
  });
});

test('a tier that the machine lacks is one line, and nothing is started', async () => {
  const folder = join(root, 'lacking');
  const drill = program(['chaos', 'run', 'kill-node', ...short, '--tier', 'namespaces', '--folder', folder], {
    PATH: root,
    NEXA_NATS_SERVER: natsServerBinary().path,
  });
  expect(await drill.ended).toBe(4);
  expect(drill.stdout).toBe('');
  expect(drill.stderr).toMatch(/error unavailable: this machine has no namespaces: [^\n]+ — [^\n]+\n$/);
  await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
});
