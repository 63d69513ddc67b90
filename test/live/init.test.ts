import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServers, type TestServers } from '../support/nats.ts';
import { bare } from './bare.ts';
import { granted } from './granted.ts';
import { nexa, program, temporary } from './program.ts';

const CLUSTER = `init-${process.pid}`;
let servers: TestServers;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers?.stop());

test('what nexa init writes runs: its node joins its cluster, and its agent answers', async () => {
  await using folder = await temporary();
  const made = join(folder.path, 'My Agents');
  const { exit, stdout } = await nexa('init', made, '--yes', '--cluster', CLUSTER, '-o', 'json');
  expect([exit, JSON.parse(stdout)]).toEqual([0, { folder: made, written: ['nexa.config.ts', 'agents/greeter.ts', 'package.json'] }]);
  expect(JSON.parse(await readFile(join(made, 'package.json'), 'utf8'))).toMatchObject({
    name: 'my-agents',
    scripts: { start: 'nexa up' },
  });
  const node = program(['node', '--config', join(made, 'nexa.config.ts'), '--nats', servers.urls.join(',')]);
  const client = await bare(servers.urls, CLUSTER, 'test');
  try {
    await node.says(new RegExp(`is up in cluster ${CLUSTER}`));
    await granted(() => client.ask('spawn', { type: 'greeter', id: 'g' }));
    const greeting = await granted(() => client.ask('agent.greeter.g', { type: 'greet', name: 'you' }, { requestId: 'once' }));
    expect(greeting).toEqual({ ok: true, reply: { text: 'Hello, you!', greetings: 1 } });
  } finally {
    node.child.kill('SIGTERM');
    expect(await node.ended).toBe(0);
    await client.close();
  }
});

test('nexa init overwrites nothing, writes nothing then, and asks nobody who is not there', async () => {
  await using folder = await temporary();
  await writeFile(join(folder.path, 'package.json'), '{"mine":true}');
  expect(await nexa('init', folder.path, '--yes')).toMatchObject({
    exit: 5,
    stdout: '',
    stderr: expect.stringContaining('error conflict: package.json is there already; nothing was written'),
  });
  expect(await readFile(join(folder.path, 'package.json'), 'utf8')).toBe('{"mine":true}');
  await expect(readFile(join(folder.path, 'nexa.config.ts'))).rejects.toThrow();
  expect(await nexa('init', join(folder.path, 'new'))).toMatchObject({ exit: 2, stderr: expect.stringContaining('pass --yes') });
  expect(await nexa('init', join(folder.path, 'new'), '--yes', '--cluster', "x'; evil")).toMatchObject({ exit: 2 });
});
