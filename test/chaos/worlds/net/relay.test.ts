import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { losses, stallMs } from '../../../../chaos/worlds/processes/net/pipe.ts';
import { Relay } from '../../../../chaos/worlds/processes/net/relay.ts';
import { Ways } from '../../../../chaos/worlds/processes/net/ways.ts';
import { seededRandom } from '../../../../src/memory/random.ts';
import { realClock, until } from '../../../support/real.ts';

let server: Server;
let accepted: Socket[];
let relay: Relay;
let ways: Ways;
let dialled: Socket[];
beforeEach(async () => {
  [accepted, dialled, ways] = [[], [], new Ways()];
  server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port };
  relay = await Relay.open({ from: 'n1', to: 's1', target, ways, clock: realClock, random: seededRandom(3) });
});
afterEach(async () => {
  for (const socket of [...dialled, ...accepted]) socket.destroy();
  await relay.close();
  server.close();
});

async function dial(): Promise<Socket> {
  const [host = '', port] = relay.address.split(':');
  const socket = connect({ host, port: Number(port) }).on('error', () => {});
  dialled.push(socket);
  await once(socket, 'connect');
  return socket;
}
const bytesOf = (socket: Socket): Buffer[] => {
  const read: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => read.push(bytes)).resume();
  return read;
};

test('a listener that does not read holds the sender up after a bounded number of bytes, and loses none', async () => {
  const socket = await dial();
  await until(() => accepted.length === 1);
  const block = Buffer.alloc(65_536, 'x');
  const total = 1_024 * block.length;
  for (let index = 0; index < 1_024; index += 1) socket.write(block);
  let last = -1;
  // Nothing has moved between two looks, and there is more to say.
  await until(() => {
    const before = last;
    last = socket.writableLength;
    return before === last && last < total;
  }, 10_000);
  expect(socket.writableLength).toBeGreaterThan(total / 2);
  const read = bytesOf(accepted[0] as Socket);
  await until(() => read.reduce((sum, { length }) => sum + length, 0) === total, 20_000);
});

test('a cut holds back what comes, within the same bound, and the other direction goes on', async () => {
  const socket = await dial();
  await until(() => accepted.length === 1);
  const [there, back] = [bytesOf(accepted[0] as Socket), bytesOf(socket)];
  ways.act({ act: 'cut', from: 'n1', to: 's1' });
  socket.write(Buffer.alloc(16_777_216, 'y'));
  accepted[0]?.write('still heard');
  await until(() => Buffer.concat(back).toString() === 'still heard');
  expect(there).toEqual([]);
  ways.act({ act: 'mend', from: 'n1', to: 's1' });
  await until(() => there.reduce((sum, { length }) => sum + length, 0) === 16_777_216, 20_000);
});

test('where nobody listens the connection is reset, and after a cut too', async () => {
  server.close();
  await once(server, 'close');
  ways.act({ act: 'cut', from: 's1', to: 'n1' });
  const socket = await dial();
  const failed = new Promise((resolve) => socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code)));
  ways.act({ act: 'heal' });
  expect(await failed).toBe('ECONNRESET');
});

test('the reset of one end reaches the other, once the way is whole', async () => {
  const socket = await dial();
  await until(() => accepted.length === 1);
  const failed: string[] = [];
  socket.on('error', ({ code }: NodeJS.ErrnoException) => failed.push(String(code)));
  ways.act({ act: 'cut', from: 's1', to: 'n1' });
  const other = await dial();
  accepted[0]?.resetAndDestroy();
  expect(failed).toEqual([]);
  ways.act({ act: 'mend', from: 's1', to: 'n1' });
  await until(() => failed.length === 1);
  expect(failed).toEqual(['ECONNRESET']);
  expect(other.destroyed).toBe(false);
});

test('loss is drawn from the seed, and each one lost in a row doubles the stall', () => {
  const random = seededRandom(1);
  const drawn = Array.from({ length: 1_000 }, () => losses(random, 30, 7));
  expect(drawn.filter((lost) => lost > 0).length).toBeGreaterThan(250);
  expect(drawn.filter((lost) => lost > 0).length).toBeLessThan(350);
  expect(losses(random, 0, 7)).toBe(0);
  expect(losses(random, 100, 7)).toBe(7);
  expect([0, 1, 2, 3].map((lost) => stallMs(200, lost))).toEqual([0, 200, 600, 1_400]);
});
