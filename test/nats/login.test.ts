import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { connectNats } from '../../src/nats/connection.ts';
import { loginOf } from '../../src/nats/login.ts';
import { systemClock } from '../../src/system-clock.ts';
import { systemRandom } from '../../src/system-random.ts';
import { eventually } from '../live/support.ts';
import { startServers } from '../support/nats.ts';
import { recordingLogger } from '../support/real.ts';

test('user and password come out of a URL, decoded, and nothing of them is left in it', () => {
  expect(loginOf(['nats://a:1', 'b:2'])).toEqual({ servers: ['nats://a:1', 'b:2'] });
  expect(loginOf(['nats://me:s%40cret:x@a:1', 'nats://me:other@[::1]:2'])).toEqual({
    servers: ['nats://a:1', 'nats://[::1]:2'],
    user: 'me',
    pass: 's@cret:x',
  });
  expect(loginOf(['me@a'])).toEqual({ servers: ['a'], user: 'me', pass: '' });
  expect(loginOf(['nats://me:p@ss/w@a:1'])).toEqual({ servers: ['nats://a:1'], user: 'me', pass: 'p@ss/w' });
  expect(loginOf(['nats://me:100%@a'])).toEqual({ servers: ['nats://a'], user: 'me', pass: '100%' });
});

test('a connection whose user is taken back is down until it is given again, and nothing shows its password', async () => {
  const users = [{ user: 'n1', password: 'first-secret' }];
  const settings = (given: typeof users) => ({ authorization: { users: [...given, { user: 'other', password: 'other-secret' }] } });
  await using servers = await startServers({ settings: { ...settings(users), no_auth_user: 'other' } });
  const [server] = servers.servers;
  const address = servers.urls[0]?.replace('nats://', '') ?? '';
  const log = recordingLogger();
  const open = (password: string) =>
    connectNats({
      ...{ servers: [`nats://n1:${password}@${address}`], name: 'n1', role: 'data', clock: systemClock, random: systemRandom, log },
    });
  const refused = await open('wrong-secret').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'denied' });
  expect(JSON.stringify(refused)).not.toContain('wrong-secret');
  const link = await open('first-secret');
  try {
    const statuses: string[] = [];
    link.transport().onStatus((status) => void statuses.push(status));
    const file = (await readFile(`/proc/${server?.pid}/cmdline`, 'utf8')).split('\0')[2] ?? '';
    const refusals = async () => (await readFile(join(dirname(file), 'server.log'), 'utf8')).split('authentication error').length - 1;
    const allow = async (given: typeof users): Promise<void> => {
      const config = JSON.parse(await readFile(file, 'utf8')) as object;
      await writeFile(file, JSON.stringify({ ...config, ...settings(given) }));
      process.kill(server?.pid ?? 0, 'SIGHUP');
    };
    await allow([]);
    await eventually('it is down', 10_000, () => statuses.at(-1) === 'down');
    // Refused again and again meanwhile.
    await eventually('it was refused several times', 20_000, async () => (await refusals()) > 5);
    await allow(users);
    await eventually('it is up again', 20_000, () => statuses.at(-1) === 'up');
    await link.transport().flush({ timeoutMs: 5_000 });
    expect(statuses).toEqual(['down', 'up']);
    expect(JSON.stringify(log.errors)).not.toContain('secret');
  } finally {
    await link.close();
  }
});
