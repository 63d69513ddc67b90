import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { credentials } from '../../../chaos/worlds/processes/stage/limits/credentials.ts';
import { type Bare, bare } from '../../live/bare.ts';
import { built, eventually } from '../../live/support.ts';
import { startServers } from '../../support/nats.ts';
import { machines } from './support.ts';

test('F29: a node whose user is taken back is suspended, and goes on by itself with what it had when he is given again', async () => {
  let pid = 0;
  using stage = machines({
    async reload(server) {
      const file = await configOf(pid);
      const config = JSON.parse(await readFile(file, 'utf8')) as object;
      await writeFile(file, JSON.stringify({ ...config, ...limit.settings?.(server) }));
      process.kill(pid, 'SIGHUP');
    },
  });
  const limit = await credentials(stage);
  await using servers = await startServers({ settings: limit.settings?.('s1') ?? {} });
  pid = servers.servers[0]?.pid ?? 0;
  const { user = '', password = '' } = limit.credentials?.('n1') ?? {};
  const cluster = `credentials-${process.pid}`;
  const url = servers.urls[0]?.replace('nats://', `nats://${user}:${password}@`) ?? '';
  const launcher = spawn(process.execPath, [built('nexa'), 'node', '--name', 'n1', '--cluster', cluster], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NEXA_NATS_URL: url, NEXA_LOG: 'debug' },
  });
  let said = '';
  for (const stream of [launcher.stdout, launcher.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  let client: Bare | undefined;
  try {
    client = await bare(servers.urls, cluster, 'client');
    const { ask } = client;
    await eventually(
      'the agent is spawned',
      60_000,
      async () => (await ask('spawn', { type: 'counter', id: 'a' }, { timeoutMs: 1_000 })).ok,
    );
    const node = await processOf(ask);
    const add = () => ask('agent.counter.a', { type: 'add', by: 1 }, { timeoutMs: 10_000 });
    expect(await add()).toEqual({ ok: true, reply: { value: 1 } });
    await limit.apply({ act: 'revoke', node: 'n1' });
    await eventually('nobody answers', 20_000, async () => !(await ask('agent.counter.a', { type: 'get' }, { timeoutMs: 1_000 })).ok);
    // Given again while its lease still holds, it would answer for a moment and only then be suspended.
    await eventually('its lease has lapsed', 20_000, async () => said.includes('suspended: the lease was not renewed in time'));
    const refusals = async () =>
      (await readFile(join(dirname(await configOf(pid)), 'server.log'), 'utf8')).split('authentication error').length - 1;
    await eventually('it was refused again and again', 60_000, async () => (await refusals()) > 20);
    expect(await ask('agent.counter.a', { type: 'get' }, { timeoutMs: 1_000 })).toMatchObject({ ok: false });
    await limit.apply({ act: 'grant', node: 'n1' });
    await eventually('it answers again', 30_000, async () => (await ask('agent.counter.a', { type: 'get' }, { timeoutMs: 1_000 })).ok);
    expect(await ask('agent.counter.a', { type: 'get' })).toEqual({ ok: true, reply: { value: 1 } });
    expect(await processOf(ask)).toBe(node);
    const shown = JSON.stringify([await ask('ctl.n1', { type: 'inspect' }), await ask('ctl.n1', { type: 'logs' })]);
    for (const text of [shown, said, await readFile(`/proc/${launcher.pid}/cmdline`, 'utf8')]) expect(text).not.toContain(password);
  } finally {
    await client?.close();
    const ended = once(launcher, 'exit');
    launcher.kill('SIGTERM');
    await ended;
  }
});

const configOf = async (pid: number): Promise<string> => (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[2] ?? '';
async function processOf(ask: Bare['ask']): Promise<number> {
  return eventually('the node says which process it is', 20_000, async () => {
    const answer = await ask('ctl.n1', { type: 'nodes' });
    return answer.ok && (answer.reply.nodes[0].pid as number | null);
  });
}

test('servers and nodes of a drill that takes nobody back are configured as ever', async () => {
  using stage = machines({ wants: () => false });
  const limit = await credentials(stage);
  expect(limit.settings?.('s1')).toEqual({});
  expect(limit.credentials?.('n1')).toBeUndefined();
  expect(limit.cannot()).toBe('the nodes were not started for it');
  await limit.apply({ act: 'heal' });
});
