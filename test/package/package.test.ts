import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../src/nats-server/ports.ts';
import { natsServerBinary, startServers } from '../support/nats.ts';
import { until } from '../support/real.ts';
import { installedProject, type Project, root, run } from './project.ts';

let project: Project;
const inProject = (file: string, ...args: string[]) => run(file, args, project.folder);
const program = (name: string, env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [`out/${name}.js`], project.folder, env);
const ok = (stdout: string) => ({ exit: 0, stdout, stderr: '' });

beforeAll(async () => {
  project = await installedProject();
  expect(await inProject('npx', 'tsc')).toEqual(expect.objectContaining({ exit: 0, stdout: '' }));
}, 300_000);
afterAll(() => project?.[Symbol.asyncDispose]());

describe('the tarball', () => {
  test('holds the programs, their declarations and the pages of its first folder, nothing else', () => {
    const others = project.files.map(({ path }) => path).filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path));
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(project.files.filter(({ path }) => /(^|\/)(test|bench|examples)\//.test(path))).toEqual([]);
  });

  test('declares doors that exist, runs nothing when it is installed, and has an executable command', async () => {
    const installed = join(project.folder, 'node_modules/nexa');
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    const doors = Object.values(manifest.exports as Record<string, string | Record<string, string>>).flatMap((door) =>
      typeof door === 'string' ? [door] : Object.values(door),
    );
    for (const door of doors) expect(existsSync(join(installed, door)), door).toBe(true);
    expect(Object.keys(manifest.exports['.'])[0]).toBe('types');
    expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    const command = join(installed, manifest.bin.nexa);
    expect((await readFile(command, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect((await stat(command)).mode & 0o111).not.toBe(0);
    expect(manifest.engines.node).toMatch(/^>=20/);
  });

  test('is found by npx in a clone too, as the README has it', async () => {
    expect(await run('npx', ['nexa', '--version'], root)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test('shows one copy of itself by each of its ways in', async () => {
    expect(
      await inProject('node', '-e', "import('nexa').then((n) => console.log(typeof n.startNode, require('nexa/package.json').name))"),
    ).toEqual(ok('function nexa\n'));
    expect(await inProject('npx', 'nexa', '--help')).toMatchObject({ exit: 0, stdout: expect.stringContaining('Usage: nexa') });
  });
});

test('its declarations need no settings of the user’s compiler and no types of Node', async () => {
  await writeFile(
    join(project.folder, 'bare.ts'),
    "import * as nexa from 'nexa'; export const { actorSystem, connect, startNode } = nexa;",
  );
  const flags = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
  expect(await inProject('npx', 'tsc', ...flags, 'bare.ts')).toMatchObject({ exit: 0, stdout: '' });
});

describe('in memory', () => {
  test.each([
    ['01-counter', '2\n'],
    ['03-parent-with-children', '4\n'],
    ['05-death-watch', "[ 'bob' ]\n"],
    ['06-streaming-reply', 'Once upon a time there was an actor.\n'],
    ['12-topics-and-routers', '[ 1, 4, 9 ]\n{ noted: 3, packed: 3 }\n'],
  ])('%s runs and ends by itself', async (name, said) => {
    expect(await program(name)).toEqual(ok(said));
  });

  test.each([
    ['a month under virtual time', ['08']],
    ['a simulated drill', ['09', '-t', 'simulation']],
  ])('%s is a test of any user’s, in his own vitest', { timeout: 90_000 }, async (_, which) => {
    const { exit, stdout } = await inProject('npx', 'vitest', 'run', '--dir', 'examples', ...which);
    expect(stdout).toMatch(/Tests\s+1 passed/);
    expect(exit).toBe(0);
  });

  test('a program that finds no server says so and what to do', async () => {
    const { exit, stderr } = await program('11-from-outside', { NEXA_NATS_URL: 'nats://127.0.0.1:1' });
    expect(exit).toBe(1);
    expect(stderr).toContain('disconnected');
    expect(stderr).toContain('nexa up');
  });
});

test('on a NATS server the same programs run, and what they stored is there the next time', async () => {
  await using servers = await startServers();
  // What a node warns of on a machine that stands still is no word of the program.
  const env = { NEXA_NATS_URL: servers.urls.join(','), NEXA_LOG: 'error' };
  expect(await program('01-counter', env)).toEqual(ok('2\n'));
  expect(await program('01-counter', env)).toEqual(ok('4\n'));
  expect(await program('05-death-watch', env)).toEqual(ok("[ 'bob' ]\n"));
  expect(await program('06-streaming-reply', env)).toEqual(ok('Once upon a time there was an actor.\n'));
  expect(await program('12-topics-and-routers', env)).toEqual(ok('[ 1, 4, 9 ]\n{ noted: 3, packed: 3 }\n'));
}, 120_000);

describe('under nexa up, with agents of one’s own', () => {
  let up: ChildProcess;
  let said = '';
  let env: Readonly<Record<string, string>>;
  const nexa = (...argv: string[]) => run('npx', ['nexa', ...argv], project.folder, env);

  beforeAll(async () => {
    const [ports] = await freePorts(1, '127.0.0.1');
    const port = String(ports?.client);
    env = { NEXA_NATS_URL: `nats://127.0.0.1:${port}`, NEXA_LOG: 'error' };
    const flags = ['--nodes', '2', '--nats-port', port, '--agents', './examples/agents'];
    up = spawn(process.execPath, ['node_modules/nexa/dist/bin/nexa.js', 'up', ...flags], {
      cwd: project.folder,
      env: { ...process.env, NEXA_NATS_SERVER: natsServerBinary().path, NEXA_LOG: 'error' },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    up.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until(
      () => said.includes('ready after') || up.exitCode !== null,
      60_000,
      () => said,
    );
    expect(up.exitCode, said).toBe(null);
  }, 90_000);
  afterAll(async () => {
    if (up === undefined || up.exitCode !== null) return;
    const ended = new Promise((resolve) => up.once('exit', resolve));
    up.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('the types of the folder are there beside the built-in ones', async () => {
    const { exit, stdout } = await nexa('types', '-o', 'json');
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'counter' }),
        expect.objectContaining({ type: 'rate-limiter', storage: 'memory' }),
      ]),
    );
  });

  test('an agent of the folder is configured, asked, and refuses as it declared', async () => {
    const config = '{"perMinute":1,"burst":2}';
    expect(await nexa('spawn', 'rate-limiter', 'key-7', '--config', config)).toMatchObject({ exit: 0 });
    expect(await nexa('ask', 'rate-limiter/key-7', '{"type":"take","tokens":2}', '-o', 'json')).toMatchObject({
      exit: 0,
      stdout: '{"left":0}\n',
    });
    const { exit, stdout } = await nexa('ask', 'rate-limiter/key-7', '{"type":"take"}', '-o', 'json');
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'refused', refusal: 'too-many', details: { retryAfterMs: expect.any(Number) } },
    });
  });

  test('a type nobody knows and a config that does not fit are errors that name the type and the field', async () => {
    expect(await nexa('spawn', 'rate-limit', 'x')).toMatchObject({ exit: 3, stderr: expect.stringContaining('error unknown-type') });
    const { exit, stdout } = await nexa('spawn', 'rate-limiter', 'x', '--config', '{"perMinute":60,"burst":"many"}', '-o', 'json');
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'invalid-message', where: { type: 'rate-limiter', field: expect.stringContaining('burst') } },
    });
  });

  test('a program outside reaches agents with their protocol alone', async () => {
    expect(await program('11-from-outside', env)).toEqual(ok('true\nout-of-range 3\n'));
    expect(await program('11-from-outside', env)).toEqual(ok('true\nout-of-range 3\n'));
  });

  test('a node of this program and those of nexa up are one cluster', async () => {
    expect(await program('01-counter', env)).toEqual(ok('2\n'));
    expect(await nexa('ask', 'counter/alice', '{"type":"get"}', '-o', 'json')).toMatchObject({ exit: 0, stdout: '{"value":2}\n' });
  });
});

test.each([
  ['does not parse', 'export const = 1;', /broken\.ts does not load/],
  [
    'defines what cannot be sent',
    `import { command, defineAgent } from 'nexa'; import { z } from 'zod';
export const bad = defineAgent({ type: 'bad', version: 1, commands: { at: command({ time: z.date() }) }, state: z.null(), initial: null }).handle({ at() {} });`,
    /field time/,
  ],
])('nexa up over a module that %s ends with an error that names its file', async (_what, text, message) => {
  const folder = join(project.folder, `bad-${_what.replaceAll(' ', '-')}`);
  await mkdir(folder);
  await writeFile(join(folder, 'broken.ts'), text);
  const { exit, stderr } = await inProject('npx', 'nexa', 'up', '--memory', '--agents', folder);
  expect(exit).toBe(1);
  expect(stderr).toMatch(/^error invalid-definition: /m);
  expect(stderr).toContain(join(folder, 'broken.ts'));
  expect(stderr).toMatch(message);
});
