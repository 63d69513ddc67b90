import { expect, test } from 'vitest';
import { bytesText, dateText, durationText } from '../../bin/units.ts';
import type { Client } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { nexa } from './run.ts';

const atMs = Date.UTC(2026, 0, 1, 12, 3, 4, 5);
const HOSTILE = '\u001b]0;owned\u0007\u009b31m\u202e';
const SHOWN = '\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}';

const client =
  (cluster: Partial<Record<keyof Client['cluster'], (...args: never[]) => unknown>>): (() => Promise<Client>) =>
  async () =>
    ({ cluster, [Symbol.asyncDispose]: async () => undefined }) as unknown as Client;

test('sizes and times are shown with their units', () => {
  expect([0, 999, 1_234, 123_456, 1_500_000, 2.5e12, 7e15].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.2 kB',
    '123 kB',
    '1.5 MB',
    '2.5 TB',
    '7000 TB',
  ]);
  expect([5, 1_000, 61_000, 3_600_000, 90_061_000].map(durationText)).toEqual(['5 ms', '1 s', '1 m 1 s', '1 h', '1 d 1 h']);
  expect([durationText(Number.NaN), dateText(Number.NaN)]).toEqual(['-', '----------']);
});

test('why tells every move, the last crash and the dead letters, and what could not be asked', async () => {
  const said = {
    ...{ type: 'counter', id: 'al/ice', node: 'n2', epoch: 34, state: 'running', cause: 'crash', why: 'node n1 crashed', complete: true },
    moves: [
      { node: 'n1', incarnation: 1, cause: 'spawn', why: 'spawned', atMs, epoch: 12 },
      { node: 'n2', incarnation: 2, cause: 'crash', why: `node n1 crashed ${HOSTILE}`, atMs: atMs + 1, epoch: null },
    ],
    lastCrash: { node: 'n1', code: 'crashed', message: `boom ${HOSTILE}`, atMs },
    deadLetters: [
      {
        number: 7,
        node: 'n3',
        atMs,
        to: 'nexa:counter/al/ice',
        from: null,
        type: HOSTILE,
        reason: 'not-owner',
        error: { code: 'x', message: 'not here' },
      },
    ],
    silent: ['n4'],
  };
  const asked: unknown[] = [];
  const connect = client({ why: async (...names: never[]) => asked.push(names) && said });
  const { stdout, exit } = await nexa(['why', 'counter/al/ice'], { connect });
  expect(exit).toBe(0);
  expect(asked).toEqual([['counter', 'al/ice']]);
  expect(stdout).toMatch(/^counter\/al\/ice is running on n2, epoch 34: node n1 crashed$/m);
  expect(stdout).toMatch(/:03:04\.005 +n1 +spawn +12 +spawned$/m);
  expect(stdout).toContain(`34     node n1 crashed ${SHOWN}`);
  expect(stdout).toMatch(/^last crash .*:03:04\.005 on n1: crashed: boom /m);
  expect(stdout).toMatch(/n3 +\S+ +nexa:counter\/al\/ice +- +not-owner \(not here\)$/m);
  expect(stdout).toContain('did not answer: n4');
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse((await nexa(['why', 'counter/al/ice', '-o', 'json'], { connect })).stdout)).toEqual(said);
});

test('inspect shows an agent with what it takes of what it may', async () => {
  const said = {
    ...{ type: 'counter', id: HOSTILE, node: 'n1', incarnation: 5, epoch: 34, state: 'running', desired: 'running', cause: 'spawn' },
    ...{ why: 'spawned', restart: 'permanent', placement: { labels: { zone: 'eu' } }, version: 2, spawnId: null },
    ...{ config: { step: 2 }, configBytes: 10, answered: true },
    running: {
      ...{ state: 'running', epoch: 34, version: 2, mailbox: 3, mailboxBytes: 1_200, mailboxLimit: 1_000, mailboxLimitBytes: 8_000_000 },
      ...{
        stateBytes: 50,
        stateLimitBytes: 262_144,
        restarts: 1,
        handled: 17,
        busyMs: 61_000,
        timers: 2,
        children: ['a', HOSTILE],
        moreChildren: 3,
      },
    },
    lastCrash: { code: 'crashed', message: 'boom', atMs },
    reminders: [
      { name: HOSTILE, schedule: { everyMs: 5_000 }, dueAtMs: atMs, firedAtMs: atMs },
      { name: 'noon', schedule: { cron: '0 12 * * *', timeZone: 'Europe/Berlin' }, dueAtMs: atMs, firedAtMs: null },
      { name: 'launch', schedule: { atMs }, dueAtMs: atMs, firedAtMs: null },
    ],
  };
  const connect = client({ inspect: async () => said });
  const { stdout } = await nexa(['inspect', 'counter/x'], { connect });
  for (const line of [
    `agent       counter/${SHOWN}`,
    'node        n1 (incarnation 5)',
    'why         spawn: spawned',
    'placement   {"labels":{"zone":"eu"}}',
    'config      {"step":2}',
    'mailbox     3 of 1000, 1.2 kB of 8.0 MB',
    'stored      50 B of 262 kB',
    'handled     17 in 1 m 1 s',
    `children    a, ${SHOWN} and 3 more`,
    `reminder    ${SHOWN}: every 5 s, next ${dateText(atMs)}, last ${dateText(atMs)}`,
    `reminder    noon: 0 12 * * * (Europe/Berlin), next ${dateText(atMs)}`,
    `reminder    launch: once, next ${dateText(atMs)}`,
  ])
    expect(stdout.split('\n')).toContain(line);
  expect(stdout).toMatch(/^last crash {2}.*:03:04\.005 crashed: boom$/m);
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const silent = await nexa(['inspect', 'counter/x'], {
    connect: client({ inspect: async () => ({ ...said, running: null, answered: false }) }),
  });
  expect(silent.stdout).toMatch(/^owner +does not answer$/m);
});

test('inspect shows a node with its load, its types, its peers and its dead letters, also when its monitor is silent', async () => {
  const sample = {
    ...{ cpu: 0.42, rssBytes: 1.2e8, memoryLimitBytes: 8e9, heapBytes: 5e7, heapLimitBytes: 4e9, externalBytes: 1e6 },
    ...{ lagP50Ms: 1, lagMs: 12, lagMaxMs: 80, turnsPerS: 1_000, actors: 12, agents: 5, capacity: 1, messagesIn: 10, bytesIn: 2_000 },
    ...{
      messagesOut: 20,
      bytesOut: 4_000,
      nats: { messagesIn: 1, messagesOut: 2, bytesIn: 30, bytesOut: 40 },
      deadLetters: { stopped: 3 },
    },
    types: {
      counter: {
        agents: 5,
        handled: 100,
        handledPerS: 10,
        handlerMeanMs: 1.2,
        handlerP99Ms: 8,
        failures: 1,
        mailbox: 2,
        mailboxLimit: 5_000,
      },
    },
    peers: [{ node: 'n2', incarnation: 1, sent: 7, sentBytes: 700, received: 6, receivedBytes: 600, inFlight: 0, gaps: 1 }],
  };
  const said = {
    status: {
      ...{ node: 'n1', state: 'running', suspended: false, cordoned: true, ready: false, degraded: ['service mail'], uptimeMs: 61_000 },
      gaps: [{ from: 'n1', to: 'n3', oneWay: true, message: 'n3 does not hear n1' }],
    },
    sample,
    lastMinute: { cpu: { least: 0.1, mean: 0.2, most: 0.9 } },
    deadLetters: [{ number: 1, atMs, to: 'nexa:counter/a', from: null, type: 'add', reason: 'stopped', error: null }],
  };
  const { stdout } = await nexa(['inspect', 'node', 'n1'], { connect: client({ inspectNode: async () => said }) });
  expect(stdout).toMatch(/^state +running cordoned not ready degraded: service mail$/m);
  expect(stdout).toMatch(/^n3 does not hear n1$/m);
  expect(stdout).toMatch(/^cpu +0\.4 cores, last minute 0\.1 to 0\.9, mean 0\.2$/m);
  expect(stdout).toMatch(/^memory +120 MB of 8\.0 GB$/m);
  expect(stdout).toMatch(/^loop lag +p50 1 ms, p99 12 ms, max 80 ms$/m);
  expect(stdout).toMatch(/^counter +5 +100 +10 +1\.2 +8 +1 +2 of 5000/m);
  expect(stdout).toMatch(/^n2 +7 +700 B +6 +600 B +0 +1$/m);
  expect(stdout).toMatch(/n1 +add +nexa:counter\/a +- +stopped$/m);
  const mute = client({ inspectNode: async () => ({ status: said.status, sample: null, lastMinute: null, deadLetters: [] }) });
  expect(await nexa(['inspect', 'node', 'n1'], { connect: mute })).toMatchObject({ exit: 0, stderr: '' });
  expect(await nexa(['inspect', 'node'], { connect: mute })).toMatchObject({ exit: 2 });
  expect(await nexa(['inspect', 'counter'], { connect: mute })).toMatchObject({ exit: 2 });
});

const line = (n: number, at: number, message: string, level = 'info', fields: object = {}) => ({
  n,
  atMs: atMs + at,
  level,
  message,
  fields,
});

test('logs are lines in the order of time, of all nodes or of one; one that does not answer hides no other', async () => {
  const pages: Record<string, unknown> = {
    n1: { lines: [line(1, 0, 'first'), line(2, 20, `third ${HOSTILE}`, 'error', { boot: 'b', [HOSTILE]: HOSTILE })], last: 2, lost: 0 },
    n2: { lines: [line(9, 10, 'second')], last: 9, lost: 0 },
  };
  const connect = client({
    nodes: async () => [...['n1', 'n2', 'n3'].map((node) => ({ node, state: 'running' })), { node: 'n4', state: 'gone' }],
    logs: async (node: string) => {
      if (pages[node] === undefined) throw new NexaError('ask-timeout', 'no answer within the deadline');
      return pages[node];
    },
  });
  const { stdout, stderr, exit } = await nexa(['logs'], { connect });
  expect(exit).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((text) => text.replace(/^\S+ /, '')),
  ).toEqual(['n1 info first', 'n2 info second', `n1 error third ${SHOWN} boot=b ${SHOWN}=${SHOWN}`]);
  expect(stderr).toBe('n3  error ask-timeout: no answer within the deadline\n');
  expect(await nexa(['logs', 'n3'], { connect })).toMatchObject({ exit: 4 });
  expect(await nexa(['logs', '--level', 'debug'], { connect })).toMatchObject({ exit: 2 });
  const json = (await nexa(['logs', 'n2', '-o', 'json'], { connect })).stdout;
  expect(JSON.parse(json)).toEqual({ node: 'n2', ...line(9, 10, 'second') });
});

test('logs that are followed go on after the last line, say what was lost, and begin anew with a new start of the node', async () => {
  const ended = new AbortController();
  const asked: unknown[] = [];
  const pages = [
    { lines: [line(7, 0, 'seven')], last: 7, lost: 0 },
    { lines: [line(12, 1, 'twelve')], last: 12, lost: 4 },
    { lines: [], last: 1, lost: 0 },
    { lines: [line(1, 2, 'a new start')], last: 1, lost: 0 },
  ];
  const connect = client({
    logs: async (_node: string, wanted: object) => {
      asked.push(wanted);
      if (asked.length === pages.length) queueMicrotask(() => ended.abort());
      return pages[asked.length - 1];
    },
  });
  const { stdout, exit } = await nexa(['logs', 'n1', '-f'], { connect, ended: ended.signal });
  expect(exit).toBe(0);
  expect(asked).toEqual([
    { level: 'info', limit: 200 },
    { level: 'info', limit: 1_000, after: 7 },
    { level: 'info', limit: 1_000, after: 12 },
    { level: 'info', limit: 200 },
  ]);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((text) => text.replace(/^\S+ n1 /, '')),
  ).toEqual(['info seven', 'warn 4 lines were not kept long enough', 'info twelve', 'info a new start']);
});
