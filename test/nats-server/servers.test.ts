import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { NexaError } from '../../src/errors.ts';
import { readDurability } from '../../src/nats-server/durability.ts';
import { freePorts } from '../../src/nats-server/ports.ts';
import { probe } from '../../src/nats-server/probe.ts';
import type { ServerExit } from '../../src/nats-server/server.ts';
import { type NatsServers, type StartServersOptions, startNatsServers } from '../../src/nats-server/servers.ts';
import { natsServerBinary, startServers } from '../support/nats.ts';

let folder: string;
const started: NatsServers[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-servers-'));
});
afterEach(async () => {
  for (const servers of started.splice(0)) await servers.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});
async function start(options: Partial<StartServersOptions> = {}): Promise<NatsServers> {
  const servers = await startNatsServers({ binary: natsServerBinary(), count: 1, folder, ...options });
  started.push(servers);
  return servers;
}
/** One JetStream API call, or a publish to a stream. */
async function ask(
  { host, port }: { host: string; port: number },
  subject: string,
  body: unknown = '',
  timeoutMs = 5_000,
): Promise<Record<string, unknown>> {
  using connection = await probe({ host, port }, 10_000);
  return JSON.parse(await connection.request(subject, body === '' ? '' : JSON.stringify(body), timeoutMs));
}
const patiently = { timeout: 20_000, interval: 20 };
/** Makes a stream: servers that have just found each other may say once that they cannot yet. */
const makeStream = (server: { host: string; port: number }, replicas: number) =>
  vi.waitFor(async () => {
    const config = { name: 'S', subjects: ['s.>'], num_replicas: replicas };
    expect(await ask(server, '$JS.API.STREAM.CREATE.S', config)).not.toHaveProperty('error');
  }, patiently);
/**
 * The sequence of one message that is stored. The stream is there when its leader listens, which may be a moment after it was created;
 * a try whose answer was lost may be stored too.
 */
const store = async (server: { host: string; port: number }): Promise<number> => {
  const stored = await vi.waitFor(async () => {
    const answer = await ask(server, 's.a', {});
    expect(answer).toMatchObject({ stream: 'S', seq: expect.any(Number) });
    return answer;
  }, patiently);
  return stored.seq as number;
};

for (const count of [1, 3] as const) {
  test(`${count} server(s) start, keep state and stop`, async () => {
    const startedAt = performance.now();
    const servers = await start({ count });
    const readyMs = Math.round(performance.now() - startedAt);
    const [server] = servers.servers;
    if (server === undefined) throw new Error('no server');
    await makeStream(server, count);
    expect(await store(server)).toBeGreaterThan(0);
    expect(servers.durability).toBe('quorum');
    expect(
      await readDurability(
        servers.servers.map(({ monitorPort }) => ({ port: monitorPort })),
        { timeoutMs: 10_000 },
      ),
    ).toBe('quorum');
    const stoppedAt = performance.now();
    await servers.stop();
    console.log(`${count} server(s): ready after ${readyMs} ms, stopped after ${Math.round(performance.now() - stoppedAt)} ms`);
    expect(servers.servers.map(({ state, pid }) => ({ state, pid }))).toEqual(Array(count).fill({ state: 'stopped', pid: undefined }));
  });
}

test('state is there again after all servers were stopped and others started on the same folder', async () => {
  const first = await start({ count: 3, fsync: true });
  const [a] = first.servers;
  if (a === undefined) throw new Error('no server');
  await makeStream(a, 3);
  const stored = await store(a);
  await first.stop();
  const second = await start({ count: 3, fsync: true });
  const [b] = second.servers;
  if (b === undefined) throw new Error('no server');
  // The old stream may still be electing its leader.
  const info = () => ask(b, '$JS.API.STREAM.INFO.S', '', 500);
  const found = await vi.waitFor(async () => {
    const answer = await info();
    expect(answer).toMatchObject({ state: { first_seq: 1 }, config: { num_replicas: 3 } });
    return answer as { readonly state: { readonly last_seq: number } };
  }, patiently);
  expect(found.state.last_seq).toBeGreaterThanOrEqual(stored);
  expect(
    await readDurability(
      second.servers.map(({ monitorPort }) => ({ port: monitorPort })),
      { timeoutMs: 10_000 },
    ),
  ).toBe('fsync');
});

test('a server that was killed, paused and restarted keeps its ports, and the others know', async () => {
  await using servers = await startServers({ count: 3 });
  const [, second, third] = servers.servers;
  const exits: ServerExit[] = [];
  second?.onExit((exit) => exits.push(exit));
  await servers.kill(1);
  expect(second?.state).toBe('stopped');
  expect(exits).toEqual([{ server: 'n2', code: null, signal: 'SIGKILL', expected: true }]);
  await servers.restart(1);
  expect(second?.state).toBe('running');
  servers.pause(2);
  expect(third?.state).toBe('paused');
  // A signal arrives when the other process is next looked at, not when it is sent.
  const outcome = () =>
    probe({ host: '127.0.0.1', port: third?.port ?? 0 }, 200).then(
      (answered) => {
        answered[Symbol.dispose]();
        return 'answered';
      },
      (error: NexaError) => error.code,
    );
  await expect.poll(outcome, { timeout: 10_000 }).toBe('disconnected');
  servers.resume(2);
  await servers.ready();
  expect(third?.state).toBe('running');
});

test('a server that retires hands over and ends', async () => {
  const { servers } = await start({ count: 3 });
  await servers[0]?.retire();
  expect(servers.map(({ state }) => state)).toEqual(['stopped', 'running', 'running']);
  await servers[0]?.start();
  expect(servers[0]?.state).toBe('running');
});

test('a server that ends by itself is reported as not expected', async () => {
  const { servers } = await start();
  const exit = new Promise<ServerExit>((resolve) => servers[0]?.onExit(resolve));
  process.kill(servers[0]?.pid ?? 0, 'SIGKILL');
  expect(await exit).toMatchObject({ server: 'n1', signal: 'SIGKILL', expected: false });
});

test('a paused server is stopped too', async () => {
  const servers = await start();
  servers.servers[0]?.pause();
  await servers.stop();
  expect(servers.servers[0]?.state).toBe('stopped');
});

test('a taken port is an error that names the port and the flag', async () => {
  const [ports] = await freePorts(1, '127.0.0.1');
  if (ports === undefined) throw new Error('no ports');
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  try {
    await expect(start({ ports: [{ ...ports, client: port }], portFlag: '--nats-port' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(String(port)),
      fix: expect.stringContaining('--nats-port'),
    });
  } finally {
    other.close();
  }
});

test('a folder that cannot be written is an error with the fix', async () => {
  await writeFile(join(folder, 'file'), '');
  for (const impossible of [join(folder, 'file', 'data'), '/proc/nexa']) {
    await expect(start({ folder: impossible })).rejects.toMatchObject({
      code: 'store-misconfigured',
      fix: expect.stringContaining('--data'),
    });
  }
});

test('a folder made for one server is refused to three', async () => {
  await (await start()).stop();
  await expect(start({ count: 3 })).rejects.toMatchObject({ code: 'store-misconfigured', message: expect.stringContaining('"servers":1') });
});

test('two sets of servers never share one folder, and a pid that is somebody else’s by now is no obstacle', async () => {
  const servers = await start();
  await expect(start()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(String(servers.servers[0]?.pid)) });
  expect(servers.servers[0]?.state).toBe('running');
  await servers.stop();
  await writeFile(join(folder, 'n1', 'server.pid'), String(process.pid));
  await start();
});

test('an unfit version is refused before anything is touched', async () => {
  const missing = join(folder, 'untouched');
  await expect(start({ binary: { path: '/bin/false', version: '2.10.27' }, count: 3, folder: missing })).rejects.toMatchObject({
    code: 'store-misconfigured',
  });
  await expect(readFile(missing)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a server that ends while starting is an error with the end of its log, and the others are stopped', async () => {
  // The store is a file: the configuration is fine, the start is not.
  await mkdir(join(folder, 'n2'), { recursive: true });
  await writeFile(join(folder, 'n2', 'store'), '');
  await expect(start({ count: 3 })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/n2 ended while starting[\s\S]*storage directory is not a directory/),
  });
});

test('servers that never get ready end at the bound', async () => {
  await expect(start({ count: 3, readyTimeoutMs: 30 })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('not ready after 30 ms'),
  });
});

test('a port that another program took in the last moment is replaced by another', async () => {
  const { path, version } = natsServerBinary();
  const unlucky = join(folder, 'unlucky');
  const script = `case "$*" in -t*) ;; *) if mkdir "${folder}/tried" 2>/dev/null; then echo "listen tcp: bind: address already in use" >&2; exit 1; fi;; esac`;
  await writeFile(unlucky, `#!/bin/sh\n${script}\nexec "${path}" "$@"\n`, { mode: 0o755 });
  const servers = await start({ binary: { path: unlucky, version } });
  expect(servers.servers[0]?.state).toBe('running');
});

test('a server that listens everywhere is reached on loopback, and meets its peers nowhere else', async () => {
  const { servers, urls } = await start({ host: '0.0.0.0', count: 3 });
  expect(urls.every((url) => url.startsWith('nats://127.0.0.1:'))).toBe(true);
  const text = await readFile(join(folder, servers[0]?.name ?? '', 'server.conf'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    host: '0.0.0.0',
    cluster: { host: '127.0.0.1' },
    http: expect.stringMatching(/^127\.0\.0\.1:/),
  });
});
