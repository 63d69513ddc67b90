import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, readCache, writeCache } from '../../bin/cache.ts';
import { commandNames } from '../../bin/commands.ts';
import { candidates } from '../../bin/complete.ts';
import { commandTable } from '../../bin/complete-table.ts';
import type { Environment } from '../../supervisors/config.ts';
import { quietEnvironment } from './run.ts';

let folder: string;
let environment: Environment;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-complete-'));
  environment = { ...quietEnvironment, cacheHome: folder };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const names = { agents: ['counter/alice', 'echo/e'], nodes: ['n1', 'n2'], types: ['counter', 'echo'], topics: ['news'] };
const offered = async (...words: readonly string[]) =>
  (await candidates(words, await commandTable(environment), async () => names)).map(({ value }) => value);

test('the first word is a command, each with a word about it', async () => {
  expect(await offered('')).toEqual(await commandNames());
  expect(await offered('no')).toEqual(['node', 'nodes']);
  const [first] = await candidates(['as'], await commandTable(environment), async () => names);
  expect(first?.about).toMatch(/[a-z]/);
});

test.each([
  [
    ['ask', ''],
    ['counter/alice', 'echo/e'],
  ],
  [['ask', 'co'], ['counter/alice']],
  [['ask', 'counter/alice', ''], []],
  [
    ['spawn', ''],
    ['counter', 'echo'],
  ],
  [
    ['spawn', 'counter', 'x', '--node', ''],
    ['n1', 'n2'],
  ],
  [['spawn', '--timeout', '5s', 'e'], ['echo']],
  [
    ['tree', 'n'],
    ['n1', 'n2'],
  ],
  [
    ['chaos', 'run', 'kill-'],
    ['kill-node', 'kill-store-leader'],
  ],
  [
    ['chaos', 'attach', ''],
    ['kill', 'pause', 'drain'],
  ],
  [['chaos', 'attach', 'kill', 'n1'], ['n1']],
  [['chaos', 'run', 'flap', '--workload', 'ba'], ['bank']],
  [['chaos', 'check', ''], []],
  [['stop', 'n'], ['node']],
  [
    ['stop', 'node', ''],
    ['n1', 'n2'],
  ],
  [['events', '--agent', 'e'], ['echo/e']],
  [
    ['ps', '-o', ''],
    ['table', 'json', 'yaml'],
  ],
  [['ps', '--output', 'y'], ['yaml']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['node', '--wo'], ['--workers']],
  [['nope', ''], []],
  [['constructor', ''], []],
])('after %j comes one of %j', async (words, found) => {
  expect(await offered(...words)).toEqual(found);
});

test('options are those of the command and those that every command has', async () => {
  expect(await offered('node', '--')).toEqual(
    expect.arrayContaining(['--name', '--workers', '--output', '--config', '--nats', '--cluster', '--help']),
  );
  expect((await offered('spawn', '--c')).sort()).toEqual(['--cluster', '--config']);
  expect(await offered('logs', '-')).toEqual(expect.arrayContaining(['-f', '--follow', '-o']));
});

test('what was kept is read until it is too old; what is broken or too large is none', async () => {
  await writeCache(environment, 'a.json', { one: 1 });
  expect(await readCache(environment, 'a.json', 60_000)).toEqual({ one: 1 });
  expect(await readCache(environment, 'a.json', -1)).toBeUndefined();
  await writeFile(join(folder, 'nexa/a.json'), '{"one":');
  expect(await readCache(environment, 'a.json', 60_000)).toBeUndefined();
  await writeCache(environment, 'b.json', 'x'.repeat(300_000));
  expect(await readCache(environment, 'b.json', 60_000)).toBeUndefined();
  expect(await readCache(quietEnvironment, 'a.json', 60_000)).toBeUndefined();
});

test('only one asks the cluster at a time, until its claim lapses', async () => {
  expect(await claim(environment, 'asked', 60_000)).toBe(true);
  expect(await claim(environment, 'asked', 60_000)).toBe(false);
  expect(await claim(environment, 'asked', -1)).toBe(true);
  expect(await claim(quietEnvironment, 'asked', 60_000)).toBe(false);
});
