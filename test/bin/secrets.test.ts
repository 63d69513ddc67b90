import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { hideLogins } from '../../src/ports/hide-logins.ts';
import { nexa, quietEnvironment } from './run.ts';

/** Where servers are may say who dials them: that is for the servers alone. */
const url = 'nats://her:s3cr@t@127.0.0.1:1';

/** What a program wrote to its log, line by line. */
const logged = (script: string) =>
  new Promise<string>((resolve) =>
    execFile(process.execPath, ['--input-type=module', '-e', script], (_error, _out, stderr) => resolve(stderr)),
  ).then((text) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );

test('the setup names the servers of the environment without user and password, with a scheme or without', async () => {
  for (const natsUrl of [`${url},nats://b:2`, 'her:s3cr@t@127.0.0.1:1']) {
    const { stdout, stderr } = await nexa(['setup'], { environment: { ...quietEnvironment, natsUrl } });
    expect(stderr).toContain('127.0.0.1:1');
    expect(stdout + stderr).not.toMatch(/s3cr|her:|t@/);
  }
});

test('no command that fails repeats them: not to reach a server, not a word that it does not know', async () => {
  for (const argv of [
    ['doctor', '--nats', url],
    ['ps', '-o', 'json', '--nats', url],
    ['ps', `--natz=${url}`],
    ['ps', '-o', url],
    ['up', '--servers', url],
  ]) {
    const { exit, stdout, stderr } = await nexa(argv);
    expect(exit).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/s3cr|her:/);
  }
});

test('a log says of an error what and where, and of what others threw the stack', async () => {
  const at = (path: string): string => JSON.stringify(new URL(`../../dist/src/${path}.js`, import.meta.url).href);
  const script = `import { jsonLog } from ${at('log')}; import { NexaError, toNexaError } from ${at('errors')};
    const log = jsonLog({ level: 'info' });
    log.warn({ error: new NexaError('unavailable', 'no answer', { where: { node: 'n1' } }) }, 'own');
    log.warn({ error: toNexaError(new TypeError('no function')) }, 'wrapped');
    log.warn({ error: new RangeError('too far') }, 'foreign');
    log.warn({ error: 'words' }, 'text');`;
  const lines = await logged(script);
  expect(lines).toMatchObject([
    { error: { code: 'unavailable', message: 'no answer', where: { node: 'n1' } } },
    { error: { code: 'crashed', message: 'no function', stack: expect.stringMatching(/^TypeError: no function\n +at /) } },
    { error: { name: 'RangeError', message: 'too far', stack: expect.stringMatching(/^RangeError: too far\n +at /) } },
    { error: 'words' },
  ]);
  expect(lines[0].error).not.toHaveProperty('stack');
});

test('a log hides them wherever they stand, also in the error of somebody else', async () => {
  const script = `import { jsonLog } from ${JSON.stringify(new URL('../../dist/src/log.js', import.meta.url).href)};
    jsonLog({ level: 'info' }).info({ error: Object.assign(new Error('x'), { input: ${JSON.stringify(url)} }) }, 'dialling ' + ${JSON.stringify(url)});`;
  const [line] = await logged(script);
  expect(line).toMatchObject({ error: { name: 'Error', message: 'x' }, msg: 'dialling nats://[redacted]@127.0.0.1:1' });
  expect(JSON.stringify(line)).not.toMatch(/s3cr|her:/);
});

test('text without a login stays as it is', () => {
  for (const text of ['nats://a:1,nats://b:2', 'mail me@a', 'https://a/b@c', '{"x":"nats://a"}']) expect(hideLogins(text)).toBe(text);
});
