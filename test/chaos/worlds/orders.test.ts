import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readLines } from '../../../chaos/worlds/processes/lines.ts';
import { parseOrder } from '../../../chaos/worlds/processes/stage/orders.ts';

const setting = {
  tier: 'proxies',
  seed: 1,
  needs: ['delay'],
  run: 'r-1',
  cluster: 'c',
  folder: '/tmp/x',
  servers: 3,
  natsServer: '/bin/nats-server',
  nexa: '/nexa.js',
  logLevel: 'warn',
};
const parsed = (order: unknown) => parseOrder(JSON.stringify(order));

test('every order that is right is taken as it is', () => {
  for (const order of [
    { id: 1, order: 'open', setting },
    { id: 1, order: 'open', setting: { ...setting, as: { uid: 1_000, gid: 1_000 }, agents: '/agents', settings: { capacity: 2 } } },
    { id: 2, order: 'act', act: { act: 'kill-node', node: 'n1', silent: true } },
    { id: 3, order: 'act', act: { act: 'heal' } },
    { id: 4, order: 'act', act: { act: 'cut', from: 'n1', to: 's1' } },
    { id: 5, order: 'act', act: { act: 'memory', node: 'n1', mostBytes: null } },
    { id: 6, order: 'way', from: 'client', to: 's1', port: 4222 },
    { id: 7, order: 'pids', place: 'n1' },
    { id: 8, order: 'close' },
  ])
    expect(parsed(order)).toEqual(order);
});

test.each<[string, unknown, string?]>([
  ['no object', []],
  ['no id', { order: 'close' }],
  ['an id that is none', { id: 1.5, order: 'close' }],
  ['no such order', { id: 1, order: 'fly' }],
  ['more than belongs into it', { id: 1, order: 'close', more: 1 }, 'more'],
  ['no such act', { id: 1, order: 'act', act: { act: 'toString' } }, 'act'],
  ['an act without its place', { id: 1, order: 'act', act: { act: 'kill-node', silent: true } }, 'node'],
  ['an act with more than it has', { id: 1, order: 'act', act: { act: 'heal', node: 'n1' } }, 'node'],
  ['a place that is a path', { id: 1, order: 'act', act: { act: 'start-node', node: '../n1' } }, 'node'],
  ['a percentage that is none', { id: 1, order: 'act', act: { act: 'loss', from: 'a', to: 'b', percent: 101 } }, 'percent'],
  ['an act that is a list', { id: 1, order: 'act', act: [] }, 'act'],
  ['a port that is none', { id: 1, order: 'way', from: 'client', to: 's1', port: 0 }, 'port'],
  ['a setting without a folder', { id: 1, order: 'open', setting: { ...setting, folder: undefined } }, 'folder'],
  ['a setting with a relative folder', { id: 1, order: 'open', setting: { ...setting, folder: 'x' } }, 'folder'],
  ['a setting that needs what there is not', { id: 1, order: 'open', setting: { ...setting, needs: ['toString'] } }, 'needs'],
  ['a setting with half a tool', { id: 1, order: 'open', setting: { ...setting, tools: { nft: { path: '/nft' } } } }, 'tools'],
  ['a setting with a user who is none', { id: 1, order: 'open', setting: { ...setting, as: { uid: -1, gid: 0 } } }, 'as'],
  ['a setting with a cluster that is none', { id: 1, order: 'open', setting: { ...setting, cluster: 'a.b' } }, 'cluster'],
])('an order is refused: %s', (_, order, field) => {
  expect(() => parsed(order)).toThrow(
    expect.objectContaining({
      code: 'invalid-message',
      where: expect.objectContaining(field === undefined ? {} : { id: '1', field }),
    }),
  );
});

test('what is no JSON, and what is too long, is refused', () => {
  for (const line of ['', '{', 'x', undefined])
    expect(() => parseOrder(line)).toThrow(expect.objectContaining({ code: 'invalid-message' }));
});

test('lines are put together from pieces, and one that is too long is told once and skipped', () => {
  const lines: (string | undefined)[] = [];
  const stream = new PassThrough();
  readLines(stream, 5, (line) => lines.push(line));
  for (const piece of ['ab', 'c\nde\n', '\n123', '45\n123456', '789\nok\n12345678\n', 'ü', '\n', 'open']) stream.write(piece);
  expect(lines).toEqual(['abc', 'de', '', '12345', undefined, 'ok', undefined, 'ü']);
});
