import { mkdtempSync, rmSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { statusLine } from '../../bin/chaos/live.ts';
import { styleFor } from '../../bin/output.ts';
import { nexa } from './run.ts';

// What is simulated takes seconds of a core, which on a busy machine are many.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'nexa-chaos-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(root, `${++made}`);
const ended = new AbortController().signal;
const chaos = (...argv: string[]) => nexa(['chaos', ...argv], { ended });

const kept = join(root, 'kept');
const simulated = ['run', 'kill-node', '--world', 'simulation', '--seed', '3', '--minutes', '0.2', '--workload', 'counter,register'];
let first: Awaited<ReturnType<typeof nexa>>;
beforeAll(async () => {
  first = await chaos(...simulated, '--folder', kept);
});

test('a drill ends with its verdict on one screen, its folder, and the line that runs it again', async () => {
  expect(first.exit).toBe(0);
  expect(first.stdout).toMatch(/^verdict +pass +kill-node, seed 3, simulation, /);
  expect(first.stdout).toMatch(/C8 pass/);
  expect(first.stdout).toMatch(/F1 kill one node +n[123] /);
  expect(first.stdout).toContain('npx nexa chaos run kill-node --seed 3 --world simulation --minutes 0.2 ');
  expect(first.stdout).toContain(`${kept}/report.html`);
  expect(first.stderr).toMatch(/^starting the cluster\n[\s\S]*kill one node\n[\s\S]*ending the cluster\n$/);
});

test('as JSON there is a line for each change, and the report last', async () => {
  const { exit, stdout } = await chaos(...simulated, '--folder', fresh(), '-o', 'json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(exit).toBe(0);
  expect(lines[0]).toMatchObject({ event: 'progress', phase: 'opening', operations: { ok: 0 } });
  expect(lines.some(({ faults }) => faults?.includes('kill one node'))).toBe(true);
  expect(lines.at(-1)).toMatchObject({ event: 'report', report: { version: 1, verdict: 'pass', plan: { drill: 'kill-node', seed: 3 } } });
});

test('on a terminal one line is painted again and again, and nothing is left of it', async () => {
  const { stdout, stderr } = await nexa(['chaos', ...simulated, '--folder', fresh()], { isTTY: true, ended });
  expect(stderr).toBe('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal acts on
  const [painted = '', after = ''] = stdout.split(/\r\u001b\[K(?!.*\r\u001b\[K)/s).map((part) => part);
  expect(painted).toContain('left');
  expect(after).toContain('verdict');
});

test('the status line says phase, fault, rate and outcomes, and is never wider than the terminal', () => {
  const now = {
    ...({ phase: 'faults', atMs: 5_000, durationMs: 60_000, operations: { ok: 1_204, fail: 3, info: 1 } } as const),
    faults: [{ fault: 'kill', target: 'node' }] as const,
  };
  const rate = { perSecond: 84.4, leftMs: 54_900 };
  expect(statusLine(now, rate, styleFor(false), 120)).toBe('faults  0:54 left  kill one node  84 ok/s  1204 ok 3 fail 1 unknown');
  for (const columns of [1, 10, 20, 40]) expect(statusLine(now, rate, styleFor(false), columns).length).toBeLessThan(Math.max(1, columns));
});

test('check judges the folder again, report prints it, and writes its pages anew', async () => {
  expect(await chaos('check', kept)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^verdict +pass/), stderr: '' });
  expect(JSON.parse((await chaos('check', kept, '-o', 'json')).stdout)).toEqual(
    JSON.parse(await readFile(join(kept, 'report.json'), 'utf8')),
  );
  expect((await chaos('report', kept)).stdout).toContain('# kill-node, seed 3: pass');
  await writeFile(join(kept, 'report.html'), '');
  expect(await chaos('report', kept, '--html')).toMatchObject({ exit: 0, stdout: `${kept}/report.html\n` });
  expect(await readFile(join(kept, 'report.html'), 'utf8')).toContain('</html>');
});

test('a history with a lost effect is a violation: exit 1 with the calls that show it; a run that is not whole is 7', async () => {
  const copy = async (change: (history: string) => string, run: (text: string) => string = (text) => text) => {
    const folder = fresh();
    await mkdir(folder);
    await writeFile(join(folder, 'plan.json'), await readFile(join(kept, 'plan.json')));
    await writeFile(join(folder, 'run.json'), run(await readFile(join(kept, 'run.json'), 'utf8')));
    await writeFile(join(folder, 'history.jsonl'), change(await readFile(join(kept, 'history.jsonl'), 'utf8')));
    return folder;
  };
  // An answer that no order of calls explains.
  const lied = await copy((history) =>
    history.replace(/("workload":"counter".*"op":\{"type":"get"\}.*"outcome":"ok".*"result":\{"value":)\d+/, '$1999999'),
  );
  const found = await chaos('check', lied);
  expect(found).toMatchObject({ exit: 1, stdout: expect.stringMatching(/^verdict +fail/) });
  expect(found.stdout).toContain('999999');
  expect((await chaos('report', lied)).stdout).toMatch(/smallest counter-example[\s\S]*\* .*999999/);
  const cut = await copy(
    (history) => history,
    (text) => text.replace(/"incomplete":\[[^\]]*\]/, '"incomplete":["given up: by hand"]'),
  );
  expect(await chaos('check', cut)).toMatchObject({ exit: 7, stdout: expect.stringContaining('given up: by hand') });
});

test('Ctrl-C ends a drill: what there is is kept, and the exit code is 7', async () => {
  const folder = fresh();
  const controller = new AbortController();
  controller.abort();
  const { exit } = await nexa(['chaos', ...simulated, '--folder', folder], { ended: controller.signal });
  expect(exit).toBe(7);
  expect(await readdir(folder)).toContain('report.md');
});

test('a folder that is gone when the report is to be written is a failure of the harness: one line, exit 8', async () => {
  const folder = fresh();
  const running = chaos(...simulated, '--minutes', '1', '--folder', folder);
  await vi.waitFor(() => access(join(folder, 'history.jsonl')), { interval: 1, timeout: 30_000 });
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  const { exit, stdout, stderr } = await running;
  expect(stderr).toMatch(/\nerror [a-z-]+: [^\n]*ENOENT[^\n]*\n$/);
  expect({ exit, stdout }).toEqual({ exit: 8, stdout: '' });
});

test('what cannot be run is one line, and nothing is begun', async () => {
  const taken = fresh();
  await mkdir(taken);
  await writeFile(join(taken, 'mine'), 'precious');
  const script = async (plan: object | string): Promise<string> => {
    const path = fresh();
    await writeFile(path, typeof plan === 'string' ? plan : JSON.stringify(plan));
    return path;
  };
  const plan = JSON.parse(await readFile(join(kept, 'plan.json'), 'utf8'));
  const folder = fresh();
  const refused: readonly (readonly [exit: number, said: RegExp, ...argv: string[]])[] = [
    [2, /invalid-message: there is no drill kill-nodes; there are kill-node, /, 'run', 'kill-nodes'],
    [2, /invalid-message: there is no workload w; there are register, /, 'run', 'kill-node', '--workload', 'w'],
    [3, /no-such-actor/, 'run', '--script', join(root, 'nowhere.json')],
    [2, /invalid-message: .* no JSON/, 'run', '--script', await script('{')],
    [2, /invalid-message: faults\[0\]/, 'run', '--script', await script({ ...plan, faults: [{ fault: 'burn' }] })],
    [1, /unknown-version/, 'run', '--script', await script({ ...plan, version: 2 })],
    [
      4,
      /unavailable: faults\[0\] \(disk-full\)/,
      'run',
      '--script',
      await script({ ...plan, faults: [{ fault: 'disk-full', target: 'server', forMs: 9 }] }),
    ],
    [2, /simulation has no tiers/, 'run', 'kill-node', '--world', 'simulation', '--tier', 'proxies'],
    [5, /conflict/, ...simulated, '--folder', taken],
    [3, /no-such-actor/, 'check', join(root, 'nowhere')],
    [3, /no-such-actor/, 'report', taken],
  ];
  for (const [exit, said, ...argv] of refused) {
    const ran = await chaos(...argv, ...(argv[0] === 'run' && !argv.includes('--folder') ? ['--folder', folder] : []));
    expect(ran, argv.join(' ')).toMatchObject({ exit, stdout: '' });
    expect(ran.stderr.replace(/^starting the cluster\n(\d+ nodes are up\n)?(ending the cluster\n)?/, ''), argv.join(' ')).toMatch(
      new RegExp(`^error [^\\n]*${said.source}[^\\n]*\\n$`),
    );
  }
  await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(taken)).toEqual(['mine']);
});

test('what is typed wrong is wrong usage', async () => {
  const wrong = [
    ['chaos'],
    ['fly'],
    ['list', 'x'],
    ['list', '--seed', '1'],
    ['run'],
    ['run', 'flap', '--script', 'x'],
    ['run', '--script', 'x', '--seed', '1'],
    ['run', 'flap', '--seed', '4294967296'],
    ['run', 'flap', '--seed', '-1'],
    ['run', 'flap', '--minutes', '0'],
    ['run', 'flap', '--minutes', '1441'],
    ['run', 'flap', '--servers', '2'],
    ['run', 'flap', '--nodes', '21'],
    ['run', 'flap', '--tier', 'docker'],
    ['run', 'flap', '--world', 'mars'],
    ['run', 'flap', '--html'],
    ['run', 'flap', 'again'],
    ['check'],
    ['check', 'x', '--yes'],
    ['report'],
  ];
  for (const argv of wrong)
    expect(await chaos(...argv), argv.join(' ')).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error usage: [^\n]+\n$/),
    });
});

test('list names drills with their promises, workloads, and what this machine has', async () => {
  const { exit, stdout } = await chaos('list', '-o', 'json');
  const { drills, workloads, tiers } = JSON.parse(stdout);
  expect(exit).toBe(0);
  expect(drills).toContainEqual(expect.objectContaining({ name: 'kill-node', promises: expect.arrayContaining(['C5']), servers: 3 }));
  expect(workloads).toContainEqual({ name: 'bank', about: expect.stringMatching(/transfers/) });
  expect(tiers.map(({ tier }: { readonly tier: string }) => tier)).toEqual(['namespaces', 'sudo', 'proxies']);
  expect(tiers.at(-1)).toMatchObject({ lacks: null });
  expect((await chaos('list')).stdout).toMatch(/^DRILL +MINUTES +NODES +PROMISES\n/);
});
