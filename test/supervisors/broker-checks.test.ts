import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import type { PubAck } from '../../src/nats/jet-stream.ts';
import { greetings } from '../../src/nats-server/greeting.ts';
import { natsChecks } from '../../supervisors/broker-checks.ts';
import { selfTest } from '../../supervisors/self-test.ts';
import { eventually } from '../live/support.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';

vi.setConfig({ testTimeout: 60_000 });

let servers: TestServers;
let link: NatsLink;
const others: { server: Server; sockets: Set<Socket> }[] = [];
beforeAll(async () => {
  servers = await startServers();
  const rest = { clock: realClock, random: realRandom, log: recordingLogger() };
  link = await connectNats({ servers: servers.urls, name: 'checks', role: 'control', ...rest });
  await link.stores().ensure({ name: 'nexa_checks_META', kind: 'kv', replicas: 1 }, { timeoutMs: 5_000 });
});
afterAll(async () => {
  for (const { server, sockets } of others) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  await link?.close();
  await servers?.stop();
});

/** Something that greets as a server would, or not at all. */
async function greeter(line: string | undefined): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (line !== undefined) socket.write(`${line}\r\n`);
  });
  others.push({ server, sockets });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}
const info = (fields: object): string => `INFO ${JSON.stringify(fields)}`;
const run = async (through: NatsLink, more: { readonly servers?: readonly string[]; readonly replicas?: number } = {}) => {
  const on = {
    replicas: () => more.replicas ?? 1,
    bucket: 'nexa_checks_META',
    durability: { wanted: 'quorum', seen: 'quorum' },
    servers: more.servers ?? servers.urls,
    clock: realClock,
    random: realRandom,
  } as const;
  const { checks } = await selfTest(natsChecks(through, on), { clock: realClock });
  return Object.fromEntries(checks.map(({ check, ...result }) => [check, result]));
};

test('a good server passes, and the clock is compared with its', async () => {
  // Timers that come late are a warning: on a machine that is busy that is right, and looked at again.
  const found = await eventually('the clock is well', 30_000, async () => {
    const seen = await run(link);
    return !/timers are \d+ ms late|no answer|was set by/.test(seen.clock?.message ?? '') && seen;
  });
  expect(Object.entries(found).map(([name, { verdict }]) => `${name} ${verdict}`)).toEqual([
    'jetstream ok',
    'nats-server ok',
    'replicas ok',
    'compare-and-set ok',
    'durability ok',
    'clock ok',
  ]);
  expect(found.clock?.message).toMatch(/NATS server's$/);
});

test('every server that can be seen is judged, those that hang or talk nonsense are not waited for', async () => {
  const old = await greeter(info({ server_id: 'OLD', server_name: 'old', version: '2.9.10' }));
  const nonsense = await greeter('HTTP/1.1 400 Bad Request');
  const silent = await greeter(undefined);
  // Who greets late is not seen, and a machine that stands still makes everybody late: then it is looked at again.
  const found = await eventually('the old one greets in time', 30_000, async () => {
    const { 'nats-server': versions } = await run(link, { servers: [...servers.urls, old, nonsense, silent, '127.0.0.1:1'] });
    return versions?.verdict !== 'ok' && versions;
  });
  expect(found).toMatchObject({
    verdict: 'failed',
    message: expect.stringContaining('2.9.10'),
    fix: expect.stringContaining('Upgrade'),
  });
  // So long those that say nothing are waited for.
  expect(await greetings([old, old, nonsense, silent], { timeoutMs: 3_000 })).toEqual([{ id: 'OLD', name: 'old', version: '2.9.10' }]);
});

test('servers that acknowledge more than one winner are refused', async () => {
  const { jetStream } = link;
  // What nats-server 2.9 did on replicated streams: everybody is told that he won.
  let sequence = 0;
  const generous: NatsLink = {
    ...link,
    jetStream: { ...jetStream, publish: async () => ({ ok: true, value: { seq: ++sequence } satisfies PubAck }) },
  };
  expect((await run(generous))['compare-and-set']).toMatchObject({ verdict: 'failed', message: expect.stringContaining('20 of 20 races') });
});

test('without JetStream nothing else is looked at', async () => {
  const off: NatsLink = { ...link, info: () => ({ ...(link.info() as NonNullable<ReturnType<NatsLink['info']>>), jetstream: false }) };
  const found = await run(off);
  expect(found.jetstream).toMatchObject({ verdict: 'failed', fix: expect.stringContaining('-js') });
  expect(found['compare-and-set']?.verdict).toBe('skipped');
});
