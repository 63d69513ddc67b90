import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readDurability } from '../../src/nats-server/durability.ts';
import { readMonitor } from '../../src/nats-server/monitor.ts';
import { probe } from '../../src/nats-server/probe.ts';

const INFO = 'INFO {"server_name":"x","version":"2.15.1","jetstream":true,"max_payload":1048576}\r\n';
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
async function serve(onConnection: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port };
}
/** Answers PING as a server does, and each PUB with `answer(reply subject)`, in as many pieces as it has characters if `slow`. */
const natsLike =
  (answer: (reply: string) => string, slow = false) =>
  (socket: Socket) => {
    const say = (text: string) => {
      for (const piece of slow ? text : [text]) socket.write(piece);
    };
    socket.setNoDelay(true);
    say(INFO);
    socket.on('data', (chunk) => {
      const reply = /PUB \S+ (\S+) /.exec(chunk.toString())?.[1];
      if (reply !== undefined) say(answer(reply));
      if (chunk.toString().includes('PING')) say('PING\r\nPONG\r\n');
    });
  };

test('an answer that arrives byte by byte is put together', async () => {
  const target = await serve(natsLike((reply) => `MSG ${reply} 1 13\r\n{"a":"\\r\\n"}\r\r\n`, true));
  using connection = await probe(target, 20_000);
  expect(connection.info).toEqual({ serverName: 'x', version: '2.15.1', jetstream: true, maxPayloadBytes: 1_048_576 });
  expect(await connection.request('a', '{}', 20_000)).toBe('{"a":"\\r\\n"}\r');
});

test('headers are cut off an answer, and “nobody there” is an error', async () => {
  const headers = 'NATS/1.0\r\na: b\r\n\r\n';
  const answering = await serve(natsLike((reply) => `HMSG ${reply} 1 ${headers.length} ${headers.length + 2}\r\n${headers}ok\r\n`));
  using connection = await probe(answering, 20_000);
  expect(await connection.request('a', '', 20_000)).toBe('ok');
  const nobody = await serve(natsLike((reply) => `HMSG ${reply} 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n`));
  using lonely = await probe(nobody, 20_000);
  await expect(lonely.request('a', '', 20_000)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('nobody answers'),
  });
});

test('a server that says nothing is `disconnected` at the bound', async () => {
  await expect(probe(await serve(() => {}), 300)).rejects.toMatchObject({
    code: 'disconnected',
    message: expect.stringMatching(/no answer within 300 ms/),
  });
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ['closes at once', (socket) => socket.end(), /closed/],
  ['speaks another protocol', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /closed/],
  ['sends a broken INFO', (socket) => socket.write('INFO {"\r\n'), /no NATS server/],
  ['refuses us', (socket) => socket.write(`${INFO}-ERR 'Authorization Violation'\r\n`), /Authorization/],
  ['never stops talking', (socket) => socket.write('x'.repeat(3_000_000)), /too long/],
])('a server that %s is `disconnected`', async (_, behaviour, message) => {
  await expect(probe(await serve(behaviour), 20_000)).rejects.toMatchObject({
    code: 'disconnected',
    message: expect.stringMatching(message),
  });
});

test('a request that is never answered ends at its bound', async () => {
  using connection = await probe(await serve(natsLike(() => '')), 20_000);
  await expect(connection.request('a', '', 50)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a monitor that is no monitor is a typed error, and its durability unverified', async () => {
  const html = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>'));
  await expect(readMonitor('/varz', html, 20_000)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no JSON'),
  });
  const silent = await serve(() => {});
  await expect(readMonitor('/varz', silent, 50)).rejects.toMatchObject({ code: 'unavailable' });
  const shapeless = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull'));
  expect(await readDurability([shapeless], { timeoutMs: 20_000 })).toBe('unverified');
  expect(await readDurability([], { timeoutMs: 1_000 })).toBe('unverified');
});
