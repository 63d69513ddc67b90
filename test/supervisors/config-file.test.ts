import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as nexa from '../../index.ts';
import { readConfigFile } from '../../supervisors/config-file.ts';
import { nodeSettings } from '../../supervisors/config-schema.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'nexa-config-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The file as `nexa` reads it: what is in it, or the error. */
async function read(name: string, contents: string, named?: string) {
  await writeFile(join(folder, name), contents);
  return readConfigFile({ folder, named, nexa: async () => nexa });
}
const refused = (contents: object): Promise<unknown> =>
  read('nexa.config.json', JSON.stringify(contents)).then(
    () => 'accepted',
    (error: unknown) => error,
  );
const problems = async (contents: object): Promise<readonly string[]> => ((await refused(contents)) as Error).message.split('; ');

test('without a file everything is left to flags, variables and defaults', async () => {
  expect(await readConfigFile({ folder, nexa: async () => nexa })).toEqual({ file: undefined, config: {} });
});

test.each([
  [
    'nexa.config.ts',
    `import { defineConfig } from 'nexa';\nconst n: number = 3;\nexport default defineConfig({ cluster: 'blue', workers: n });`,
  ],
  ['nexa.config.mjs', `export default { cluster: 'blue', workers: 3 };`],
  ['nexa.config.cjs', `module.exports = { cluster: 'blue', workers: 3 };`],
  ['nexa.config.json', `{"cluster":"blue","workers":3}`],
  ['nexa.config.yaml', `cluster: blue\nworkers: 3\n`],
  ['nexa.config.yml', `cluster: blue\nworkers: 3\n`],
])('%s is found by itself', async (name, contents) => {
  expect(await read(name, contents)).toEqual({ file: join(folder, name), config: { cluster: 'blue', workers: 3 } });
});

test('a file of any name counts when it is named, and then the one of the folder does not', async () => {
  await writeFile(join(folder, 'nexa.config.json'), '{"cluster":"red"}');
  expect(await read('staging.yaml', 'cluster: blue', 'staging.yaml')).toEqual({
    file: join(folder, 'staging.yaml'),
    config: { cluster: 'blue' },
  });
});

test('folders are meant from where the file lies, and entries get their defaults', async () => {
  const { config } = await read(
    'nexa.config.json',
    JSON.stringify({
      agents: './agents',
      nats: { data: 'data' },
      processes: { web: { command: './serve' }, far: { command: 'x', cwd: '/srv' } },
    }),
  );
  expect(config).toEqual({
    agents: join(folder, 'agents'),
    nats: { data: join(folder, 'data') },
    processes: {
      web: {
        command: './serve',
        args: [],
        cwd: folder,
        env: {},
        restart: 'permanent',
        instances: 16,
        stopMs: 3_000,
        maxOutputBytes: 65_536,
      },
      far: { command: 'x', args: [], cwd: '/srv', env: {}, restart: 'permanent', instances: 16, stopMs: 3_000, maxOutputBytes: 65_536 },
    },
  });
});

test('services are tcp or http, with defaults', async () => {
  const services = [
    { name: 'database', kind: 'tcp', host: 'db.local', port: 5432, required: true },
    { name: 'search', kind: 'http', url: 'http://127.0.0.1:9200/_health', timeoutMs: 500, expectStatus: 204 },
  ];
  const { config } = await read('nexa.config.json', JSON.stringify({ services }));
  expect(config.services).toEqual([
    { ...services[0], timeoutMs: 2_000 },
    { ...services[1], required: false },
  ]);
});

test('what a node takes and when it is an alert may stand in it, and reaches every worker', async () => {
  const given = { mostActive: 10, admission: { maxAgents: 100 }, health: { 'loop-lag': { warn: 50 }, unplaced: {} } };
  const { config } = await read('nexa.config.json', JSON.stringify({ cluster: 'blue', ...given }));
  expect(nodeSettings(config)).toEqual({ ...given, admission: { maxAgents: 100, memoryHigh: 0.85, memoryLow: 0.75 } });
});

test('and is checked as all of it is', async () => {
  expect(await problems({ admission: { memoryHigh: 0.5 }, health: { 'loop-lg': {}, heap: { warn: 0 } }, mostActive: 0 })).toEqual([
    'mostActive: expected a whole number from 1 to 10000000, not 0',
    'admission.memoryLow: expected a share below memoryHigh, and it is missing',
    'health.heap.warn: expected a number above 0, not 0',
    'health.loop-lg: there is no such key (did you mean loop-lag?)',
  ]);
});

test('everything that is wrong is said at once, with its path and what was expected', async () => {
  expect(
    await problems({
      clustr: 'blue',
      replicas: 9,
      workers: '4',
      nats: { ports: 4222, urls: 5 },
      log: { level: 'loud' },
      labels: { zone: 1 },
      processes: { 'a b': { command: 'x' }, web: { comand: 'x', stopMs: 60_000 } },
      services: [
        { name: 'x', kind: 'udp' },
        { name: 'y', kind: 'tcp', host: 'h', port: 0, prot: 1 },
      ],
    }),
  ).toEqual(
    expect.arrayContaining([
      'clustr: there is no such key (did you mean cluster?)',
      'replicas: expected a whole number from 1 to 5, not 9',
      'workers: expected a whole number from 1 to 32, not "4"',
      'nats.ports: there is no such key (did you mean port?)',
      'nats.urls: expected a URL, or a list of URLs, not 5',
      'log.level: expected one of silent, debug, info, warn, error, not "loud"',
      'labels.zone: expected a text, not 1',
      'processes.a b: expected a name of letters, digits, _ and -, at most 64 of them',
      'processes.web.command: expected the program to run: a path, or a name on the PATH, and it is missing',
      'processes.web.comand: there is no such key (did you mean command?)',
      'processes.web.stopMs: expected a whole number from 1 to 4000, not 60000',
      'services[0].kind: expected kind: tcp (host, port) or http (url), not "udp"',
      'services[1].port: expected a whole number from 1 to 65535, not 0',
      'services[1].prot: there is no such key (did you mean port?)',
    ]),
  );
});

test('the error names the file and the keys', async () => {
  expect(await refused({ clustr: 'blue', workers: 0 })).toMatchObject({
    code: 'invalid-definition',
    where: { file: join(folder, 'nexa.config.json'), keys: expect.stringMatching(/^(workers clustr|clustr workers)$/) },
  });
});

test('what a file holds besides is not shown: it may be a secret', async () => {
  expect(await problems({ cluster: { password: 'hunter2' } })).toEqual(['cluster: expected a text, not an object']);
});

describe('a file that cannot be read is an error that names it', () => {
  test.each([
    ['nexa.config.ts', 'export default {', /does not load/],
    ['nexa.config.ts', `throw new Error('boom')`, /does not load: boom/],
    ['nexa.config.json', '{"cluster":', /does not load/],
    ['nexa.config.yaml', 'cluster: [', /does not load/],
    ['nexa.config.json', '[]', /expected an object, not a list/],
    ['nexa.config.ts', 'export default 5', /expected an object, not 5/],
    ['nexa.config.json', '{"cluster":null}', /^cluster: expected a text, not null$/],
    ['nexa.config.json', '{"__proto__":{"cluster":"x"},"constructor":1}', /no such key/],
  ])('%s with %j', async (name, contents, message) => {
    await expect(read(name, contents)).rejects.toMatchObject({ code: 'invalid-definition', message: expect.stringMatching(message) });
  });

  test('one that is named has to exist and to be of a known kind', async () => {
    await expect(readConfigFile({ folder, named: 'no.ts', nexa: async () => nexa })).rejects.toMatchObject({
      message: 'there is no such file',
      where: { file: join(folder, 'no.ts') },
    });
    await expect(read('a.toml', '', 'a.toml')).rejects.toMatchObject({ message: 'is of no known kind' });
  });

  test('two in one folder leave open which counts', async () => {
    await writeFile(join(folder, 'nexa.config.json'), '{}');
    await expect(read('nexa.config.ts', 'export default {}')).rejects.toMatchObject({
      message: 'nexa.config.json is there too, and only one of them can count',
    });
  });
});
