import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { hideLogins } from '../../src/ports/hide-logins.ts';
import { nexa, quietEnvironment } from './run.ts';

/** Where servers are may say who dials them: that is for the servers alone. */
const url = 'nats://her:s3cr@t@127.0.0.1:1';

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

test('a log hides them wherever they stand, also in the error of somebody else', async () => {
  const script = `import { jsonLog } from ${JSON.stringify(new URL('../../dist/src/log.js', import.meta.url).href)};
    jsonLog({ level: 'info' }).info({ error: Object.assign(new Error('x'), { input: ${JSON.stringify(url)} }) }, 'dialling ' + ${JSON.stringify(url)});`;
  const line = await new Promise<string>((resolve) =>
    execFile(process.execPath, ['--input-type=module', '-e', script], (_error, _out, stderr) => resolve(stderr)),
  );
  expect(JSON.parse(line)).toMatchObject({ msg: 'dialling nats://[redacted]@127.0.0.1:1' });
  expect(line).not.toMatch(/s3cr|her:/);
});

test('text without a login stays as it is', () => {
  for (const text of ['nats://a:1,nats://b:2', 'mail me@a', 'https://a/b@c', '{"x":"nats://a"}']) expect(hideLogins(text)).toBe(text);
});
