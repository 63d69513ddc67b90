import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/system-clock.ts';
import { selfTest } from '../../supervisors/self-test.ts';
import { type ServiceOptions, serviceChecks } from '../../supervisors/service-check.ts';

const servers: (Server | HttpServer)[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
async function listening<S extends Server | HttpServer>(server: S): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const probed = async (...services: ServiceOptions[]) => (await selfTest(serviceChecks(services), { clock: systemClock })).checks;
const held = new Set<{ destroy(): unknown }>();
afterEach(() => {
  for (const socket of held) socket.destroy();
  held.clear();
});

test('a TCP service answers, refuses or is named by URL, and says how long it took', async () => {
  const port = await listening(createServer((socket) => socket.end()));
  const closed = await listening(createServer());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  const checks = await probed(
    { name: 'db', kind: 'tcp', host: '127.0.0.1', port },
    { name: 'cache', kind: 'tcp', url: `redis://user:hidden@127.0.0.1:${port}/0?password=hidden` },
    { name: 'gone', kind: 'tcp', host: '127.0.0.1', port: closed, required: true },
  );
  expect(checks).toMatchObject([
    { check: 'service:db', verdict: 'ok', required: false, message: expect.stringMatching(/answers in \d+ ms$/) },
    { check: 'service:cache', verdict: 'ok' },
    { check: 'service:gone', verdict: 'failed', required: true, code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') },
  ]);
  expect(JSON.stringify(checks)).not.toContain('hidden');
});

test('an HTTP service is judged by its status alone', async () => {
  const port = await listening(
    createHttp((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      if (response.statusCode === 302) response.setHeader('location', '/200');
      // A body that never ends must not be waited for.
      response.write('x');
    }),
  );
  const url = (status: number): string => `http://127.0.0.1:${port}/${status}`;
  const checks = await probed(
    { name: 'ok', kind: 'http', url: url(206) },
    { name: 'moved', kind: 'http', url: url(302) },
    { name: 'broken', kind: 'http', url: url(503) },
    { name: 'wanted', kind: 'http', url: url(401), expectStatus: 401 },
    { name: 'otherwise', kind: 'http', url: url(200), expectStatus: 204 },
  );
  expect(checks.map(({ verdict }) => verdict)).toEqual(['ok', 'failed', 'failed', 'ok', 'failed']);
  expect(checks[2]?.message).toContain('answers 503 instead of 200 to 299');
  expect(checks[4]?.message).toContain('answers 200 instead of 204');
});

test('a service that accepts and says nothing fails at its own bound', async () => {
  const port = await listening(createServer((socket) => void held.add(socket)));
  const [slow] = await probed({ name: 'slow', kind: 'http', url: `http://127.0.0.1:${port}/`, timeoutMs: 40 });
  expect(slow).toMatchObject({ verdict: 'failed', message: expect.stringContaining('does not answer within 40 ms') });
});

test.each<[string, ServiceOptions[]]>([
  ['no name', [{ name: 'a b', kind: 'tcp', host: 'x', port: 1 }]],
  [
    'a name twice',
    [
      { name: 'a', kind: 'tcp', host: 'x', port: 1 },
      { name: 'a', kind: 'tcp', host: 'y', port: 1 },
    ],
  ],
  ['no URL', [{ name: 'a', kind: 'http', url: 'nonsense' }]],
  ['another protocol', [{ name: 'a', kind: 'http', url: 'file:///etc/passwd' }]],
  ['no port', [{ name: 'a', kind: 'tcp', url: 'unheard-of://host' }]],
  ['a port that is none', [{ name: 'a', kind: 'tcp', host: 'x', port: 70_000 }]],
  ['no time', [{ name: 'a', kind: 'tcp', host: 'x', port: 1, timeoutMs: 0 }]],
  ['too many', Array.from({ length: 65 }, (_, index) => ({ name: `s${index}`, kind: 'tcp' as const, host: 'x', port: 1 }))],
])('a declaration with %s is refused before anything is probed', (_, services) => {
  expect(() => serviceChecks(services)).toThrow(expect.objectContaining({ code: 'invalid-definition', fix: expect.any(String) }));
});
