import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServerConfig, serverConfig } from '../../src/nats-server/config.ts';
import { run } from '../../src/programs/run.ts';
import { natsServerBinary } from '../support/nats.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexa-config-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const single = (): ServerConfig => ({
  name: 'n1',
  host: '127.0.0.1',
  port: 4222,
  monitorPort: 8222,
  storeDir: join(root, 'store'),
  logFile: join(root, 'log'),
  pidFile: join(root, 'pid'),
  fsync: false,
});
const cluster = { name: 'nexa', port: 6222, peers: ['127.0.0.1:6222', '127.0.0.1:6223'] };
async function accepted(config: ServerConfig): Promise<string> {
  const file = join(root, 'server.conf');
  await writeFile(file, serverConfig(config));
  const { code, stderr, stdout } = await run(natsServerBinary().path, ['-t', '-c', file], { timeoutMs: 10_000 });
  return code === 0 ? 'accepted' : stderr + stdout;
}

test('the real server accepts every shape of configuration', async () => {
  expect(await accepted(single())).toBe('accepted');
  expect(
    await accepted({ ...single(), fsync: true, cluster, host: '::1', maxFileBytes: 1e9, maxMemoryBytes: 1e6, maxPayloadBytes: 65_536 }),
  ).toBe('accepted');
  expect(await accepted({ ...single(), storeDir: join(root, 'a "quoted" \\ $HOME {ü}, # path') })).toBe('accepted');
});

test('one that other machines are to meet says so, and what else it is told does not undo what stands above it', async () => {
  const config: ServerConfig = {
    ...single(),
    host: '10.0.0.1',
    monitorHost: '10.0.0.1',
    cluster: { name: 'nexa', host: '10.0.0.1', port: 6222, peers: ['10.0.0.2:6222', '[::1]:6222'], advertise: '10.0.0.1:1' },
    settings: { lame_duck_duration: '30s', lame_duck_grace_period: '1s', server_name: 'other' },
  };
  expect(await accepted(config)).toBe('accepted');
  expect(JSON.parse(serverConfig(config))).toMatchObject({
    server_name: 'n1',
    http: '10.0.0.1:8222',
    lame_duck_grace_period: '1s',
    cluster: { host: '10.0.0.1', advertise: '10.0.0.1:1', routes: ['nats-route://10.0.0.2:6222', 'nats-route://[::1]:6222'] },
  });
});

test('the server really reads what we wrote: an unknown field would be refused', async () => {
  const file = join(root, 'unknown.conf');
  await writeFile(file, serverConfig(single()).replace('"ping_max"', '"ping_maximum"'));
  expect((await run(natsServerBinary().path, ['-t', '-c', file], { timeoutMs: 10_000 })).code).not.toBe(0);
});

test('loopback, fast failure detection and the durability class stand in the text', () => {
  const parsed = JSON.parse(serverConfig({ ...single(), fsync: true, cluster }));
  expect(parsed).toMatchObject({
    host: '127.0.0.1',
    http: '127.0.0.1:8222',
    ping_interval: '1s',
    ping_max: 2,
    write_deadline: '2s',
    max_payload: 1_048_576,
  });
  expect(parsed.jetstream.sync_interval).toBe('always');
  expect(parsed.cluster).toMatchObject({
    no_advertise: true,
    host: '127.0.0.1',
    routes: ['nats-route://127.0.0.1:6222', 'nats-route://127.0.0.1:6223'],
  });
  expect(JSON.parse(serverConfig(single())).jetstream.sync_interval).toBeUndefined();
});

test.each<[string, Partial<ServerConfig>]>([
  ['a name with a space', { name: 'n 1' }],
  ['an empty name', { name: '' }],
  ['a host with a line break', { host: '127.0.0.1\nport: 1' }],
  ['a relative path', { storeDir: 'store' }],
  ['a path with a line break', { logFile: '/tmp/a\nb' }],
  ['a path with a zero', { pidFile: '/tmp/\0' }],
  ['port 0', { port: 0 }],
  ['a port too high', { monitorPort: 65_536 }],
  ['a port that is no number', { port: Number.NaN }],
  ['a cluster name with quotes', { cluster: { ...cluster, name: '"' } }],
  ['a peer port that is none', { cluster: { ...cluster, peers: ['127.0.0.1:-1'] } }],
  ['a peer without a host', { cluster: { ...cluster, peers: [':6222'] } }],
  ['a peer with a line break', { cluster: { ...cluster, peers: ['a\n:6222'] } }],
])('%s is refused', (_, change) => {
  expect(() => serverConfig({ ...single(), ...change })).toThrow(
    expect.objectContaining({ code: 'store-misconfigured', fix: expect.any(String) }),
  );
});
