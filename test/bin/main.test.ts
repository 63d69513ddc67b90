import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { commandNames, loadCommand } from '../../bin/commands.ts';
import { NexaError, Refused } from '../../src/errors.ts';
import { nexa, quietEnvironment } from './run.ts';

const refusing = (error: unknown) => async () => {
  throw error;
};

test('without a command, and with --help, it shows every command and succeeds', async () => {
  const names = await commandNames();
  for (const argv of [[], ['--help']]) {
    const { exit, stdout, stderr } = await nexa(argv);
    expect([exit, stderr]).toEqual([0, '']);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  }
});

test('each command has a summary and examples that call it, shown by its own help', async () => {
  for (const name of await commandNames()) {
    const { summary, examples } = await loadCommand(name);
    expect(examples.length).toBeGreaterThan(0);
    const { exit, stdout } = await nexa([name, '--help']);
    expect(exit).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(summary);
    for (const example of examples) {
      expect(example).toMatch(new RegExp(`^nexa ${name}\\b`));
      expect(stdout).toContain(`  $ ${example}`);
    }
  }
});

test('--version prints the version of the package', async () => {
  expect(await nexa(['--version'])).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test.each([
  [['pss'], "error usage: unknown command 'pss' (Did you mean ps?) — See nexa --help.\n"],
  [['ps', '--nat', 'x'], "error usage: unknown option '--nat' (Did you mean --nats?) — See nexa ps --help.\n"],
  [['ps', 'a', 'b'], expect.stringContaining('error usage: too many arguments')],
  [['kill'], "error usage: missing required argument 'node' — See nexa kill --help.\n"],
  [['nodes', '-o', 'xml'], expect.stringContaining('Allowed choices are table, json, yaml.')],
  [['ask', 'counter', '{"type":"get"}'], expect.stringContaining('error usage: "counter" names no agent: write <type>/<id>')],
  [['ask', 'counter/', '{"type":"get"}'], expect.stringContaining('names no agent')],
  [['ask', 'counter/a', '{"type":'], expect.stringContaining('error usage: the command is not JSON')],
  [['ask', 'counter/a', '[]'], expect.stringContaining('a command is a JSON object with a type')],
  [['ask', 'counter/a', '{"type":"get"}', '--timeout', '5'], expect.stringContaining('"5" is no duration')],
  [['ask', 'counter/a', '{"type":"get"}', '--timeout', '11m'], expect.stringContaining('is no duration')],
  [['ask', 'counter/a', '{"type":"get"}', '--timeout', '0s'], expect.stringContaining('is no duration')],
  [['spawn', 'counter', 'a', '--labels', 'zone'], expect.stringContaining('"zone" is no label')],
  [['spawn', 'counter', 'a', '--config', '{'], expect.stringContaining('--config is not JSON')],
  [['stop', 'node'], expect.stringContaining('the name of the node is missing')],
  [['stop', 'counter/a', 'b'], expect.stringContaining('only a node is stopped by two words')],
])('%j is wrong usage: exit 2, one line, nothing connected', async (argv, stderr) => {
  const result = await nexa(argv, { connect: refusing(new Error('it connected')) });
  expect(result).toEqual({ exit: 2, stdout: '', stderr });
  expect(result.stderr.trimEnd()).not.toContain('\n');
});

test('wrong usage is JSON on stdout where JSON was asked for', async () => {
  for (const format of [['-o', 'json'], ['-ojson'], ['--output', 'json'], ['--output=json']]) {
    const { exit, stdout, stderr } = await nexa(['kill', ...format]);
    expect([exit, stderr]).toEqual([2, '']);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'usage', message: "missing required argument 'node'", fix: 'See nexa kill --help.' },
    });
  }
});

const lost = new NexaError('disconnected', 'no server answered', {
  where: { nats: 'nats://127.0.0.1:1' },
  fix: 'Start nexa up or pass --nats.',
});

test('an error is one line: code, message, where, fix', async () => {
  expect(await nexa(['ps'], { connect: refusing(lost) })).toEqual({
    exit: 4,
    stdout: '',
    stderr: 'error disconnected: no server answered (nats nats://127.0.0.1:1) — Start nexa up or pass --nats.\n',
  });
});

test('under -o json it is the same as data, on stdout', async () => {
  const { exit, stdout, stderr } = await nexa(['ps', '-o', 'json'], { connect: refusing(lost) });
  expect([exit, stderr]).toEqual([4, '']);
  expect(JSON.parse(stdout)).toEqual({ ok: false, error: lost.toJSON() });
});

test('a refusal shows its details', async () => {
  const { exit, stderr } = await nexa(['ps'], { connect: refusing(new Refused('mismatch', { value: 2 }, { type: 'register' })) });
  expect([exit, stderr]).toEqual([1, 'error refused: refused: mismatch {"value":2} (type register)\n']);
});

test.each([
  ['crashed', 1],
  ['invalid-message', 2],
  ['bad-id', 2],
  ['no-such-actor', 3],
  ['unknown-type', 3],
  ['unknown-command', 3],
  ['ask-timeout', 4],
  ['unavailable', 4],
  ['conflict', 5],
  ['denied', 6],
  ['fenced', 75],
] as const)('%s ends with %d', async (code, exit) => {
  expect((await nexa(['ps'], { connect: refusing(new NexaError(code, 'x')) })).exit).toBe(exit);
});

test('what is no NexaError is an internal failure, not a stack on the screen', async () => {
  expect(await nexa(['ps'], { connect: refusing(new TypeError('boom')) })).toEqual({
    exit: 1,
    stdout: '',
    stderr: 'error internal: boom\n',
  });
});

test('the server comes from the option, else the environment, else the local default', async () => {
  const asked: object[] = [];
  const connect = async (server: object) => {
    asked.push(server);
    throw lost;
  };
  const environment = { ...quietEnvironment, natsUrl: 'nats://b:2', cluster: 'blue' };
  await nexa(['ps'], { connect });
  await nexa(['ps'], { connect, environment });
  await nexa(['ps', '--nats', 'nats://c:3', '--cluster', 'green'], { connect, environment });
  expect(asked).toEqual([
    { nats: 'nats://127.0.0.1:4222', cluster: 'nexa' },
    { nats: 'nats://b:2', cluster: 'blue' },
    { nats: 'nats://c:3', cluster: 'green' },
  ]);
});

test('a flag goes before a variable, a variable before the file, the file before the default', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-main-'));
  try {
    await writeFile(join(folder, 'nexa.config.json'), '{"cluster":"file","nats":{"urls":["nats://d:4","nats://e:5"]}}');
    await writeFile(join(folder, 'other.yaml'), 'cluster: other');
    const asked: object[] = [];
    const connect = async (server: object) => {
      asked.push(server);
      throw lost;
    };
    const environment = { ...quietEnvironment, cluster: 'variable' };
    await nexa(['ps'], { connect, folder });
    await nexa(['ps'], { connect, folder, environment });
    await nexa(['ps', '--cluster', 'flag', '--nats', 'nats://f:6'], { connect, folder, environment });
    await nexa(['ps', '--config', 'other.yaml'], { connect, folder });
    await nexa(['spawn', 'echo', '--config', '{}'], { connect, folder, environment: { ...quietEnvironment, configFile: 'other.yaml' } });
    expect(asked).toEqual([
      { nats: 'nats://d:4,nats://e:5', cluster: 'file' },
      { nats: 'nats://d:4,nats://e:5', cluster: 'variable' },
      { nats: 'nats://f:6', cluster: 'flag' },
      { nats: 'nats://127.0.0.1:4222', cluster: 'other' },
      { nats: 'nats://127.0.0.1:4222', cluster: 'other' },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a file that is wrong stops a command before it reaches anything', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-main-'));
  try {
    await writeFile(join(folder, 'nexa.config.yaml'), 'clustr: blue\nworkers: many\n');
    const { exit, stderr } = await nexa(['ps'], { connect: refusing(new Error('it connected')), folder });
    expect(exit).toBe(1);
    expect(stderr).toContain('clustr: there is no such key (did you mean cluster?)');
    expect(stderr).toContain('workers: expected a whole number from 1 to 32, not "many"');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('yaml is the same data as json, also for an error, and lets nothing act on a terminal', async () => {
  const evil = new NexaError('internal', 'no\u009b31m\u2028 way', { where: { node: 'yes' } });
  const { stdout, stderr } = await nexa(['ps', '-o', 'yaml'], { connect: refusing(evil) });
  expect(stderr).toBe('');
  expect(stdout).not.toMatch(/[\u007f-\u009f\u2028]/);
  expect(parse(stdout)).toEqual({ ok: false, error: evil.toJSON() });
  expect(parse((await nexa(['ps', '--output=yaml'], { connect: refusing(lost) })).stdout)).toEqual({ ok: false, error: lost.toJSON() });
  expect(parse((await nexa(['nope', '-oyaml'])).stdout)).toMatchObject({ ok: false, error: { code: 'usage' } });
});

test('what others wrote cannot act on the terminal', async () => {
  const evil = new NexaError('internal', '\u001b[2Jgone\n\u202eabc');
  const { stderr } = await nexa(['ps'], { connect: refusing(evil), isTTY: true, environment: { ...quietEnvironment, noColor: true } });
  expect(stderr).toBe('error internal: \\u{1b}[2Jgone\\u{a}\\u{202e}abc\n');
});

test('colour only on a terminal, and not under NO_COLOR', async () => {
  const run = (isTTY: boolean, noColor: boolean) =>
    nexa(['ps'], { connect: refusing(lost), isTTY, environment: { ...quietEnvironment, noColor } });
  expect((await run(true, false)).stderr).toContain('\u001b[');
  for (const plain of [await run(false, false), await run(true, true)]) expect(plain.stderr).not.toContain('\u001b');
});
