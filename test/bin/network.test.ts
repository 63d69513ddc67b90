import { afterAll, beforeAll, expect, test } from 'vitest';
import { counter } from '../../actors/builtin/index.ts';
import { answersWithStream } from '../../src/actor/stream/streams.ts';
import { describe } from '../../src/agent/describe.ts';
import { subjects } from '../../src/cluster/subject.ts';
import type { PublicHandlers } from '../../src/edge/handlers.ts';
import { type PublicEdge, publicEdge } from '../../src/edge/public-edge.ts';
import { NexaError, Refused } from '../../src/errors.ts';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { systemClock } from '../../src/system-clock.ts';
import { systemRandom } from '../../src/system-random.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { nexa as run } from './run.ts';

const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
const told: unknown[] = [];
let heard: () => void = () => {};
const stopped: string[] = [];
const asked: unknown[] = [];

const drained: object = { moved: 3, left: 0, lostMemory: 1, blocked: null };
/** A node's public face with the answers of a table: the edge, the wire and the client are the real ones. */
const handlers: PublicHandlers = {
  spawn: async ({ type, id = 'fresh' }) => {
    if (type !== 'counter') throw new NexaError('unknown-type', `no node runs ${type}`, { where: { type } });
    return { agent: { type, id, node: 'n1', epoch: 9 }, created: true };
  },
  stream: async function* (_type, id) {
    yield { text: 'one' };
    yield { text: id };
  },
  ask: async (_type, id, command) => {
    if ((command as { readonly type: string }).type === 'write') throw answersWithStream({ command: 'counter/write' });
    if (id === 'nobody') throw new NexaError('no-such-actor', 'counter/nobody was never spawned', { fix: 'Spawn it first.' });
    if (id === 'full') throw new Refused('out-of-range', { value: 1 });
    return { id, command };
  },
  tell: (type, id, command) => {
    told.push({ type, id, command });
    heard();
  },
  dead: async (request) => {
    asked.push(request);
    const dead = {
      ...{ number: 17, type: 'counter', id: 'ä/b', sequence: 9, messageId: 'm1', command: 'add', tries: 5 },
      ...{ storedAtMs: 1_700_000_000_000, diedAtMs: 1_700_000_009_000, error: { code: 'crashed', message: 'a \u001b[2J b' } },
    };
    if (request.type === 'dead-list') return { dead: [dead], more: true };
    if (request.type === 'dead-show') return { ...dead, bytes: 12, message: { type: 'add', by: 1 } };
    if (request.type === 'dead-edit') return { number: 18 };
    return request.type === 'dead-replay' ? { type: 'counter', id: 'ä/b' } : null;
  },
  tellDurably: async (_type, _id, _command, { requestId = 'fresh' }) => ({ messageId: requestId }),
  list: async ({ type }) => ({
    agents: [{ type: type ?? 'counter', id: 'ä/b', node: 'n1', epoch: 9, state: 'running', mailbox: 0, restarts: 0, why: 'spawned' }],
    more: false,
  }),
  types: async () => [{ type: 'counter', version: 1, storage: 'durable', nodes: ['n1'], summary: 'Counts.' }],
  describe: async () => describe(counter),
  stop: async (type, id) => void stopped.push(`${type}/${id}`),
  nodes: async () => [
    {
      node: 'n1',
      incarnation: 1,
      state: 'running',
      suspended: false,
      cordoned: true,
      ready: true,
      degraded: false,
      pid: 7,
      labels: {},
      version: '0.1.0',
      agents: 1,
      lagMs: 0,
    },
  ],
  status: async () => ({ node: 'n1', state: 'running' }),
  topics: async () => ({
    topics: [{ pattern: 'orders.>', group: null, subscribers: 2, delivered: 7, node: 'n1' }],
    more: false,
    silent: ['n2'],
  }),
  tree: async () => ({ name: 'n1', path: '/', state: 'running', mailbox: 0, restarts: 0, lastReason: null, children: [] }),
  cordon: async (on) => void stopped.push(on ? 'cordoned' : 'uncordoned'),
  drain: async () => drained,
  inspect: async (type, id) => ({ type, id, state: 'running' }),
  why: async (type, id) => ({ type, id, moves: [] }),
  inspectNode: async () => ({ status: { node: 'n1' } }),
  logs: async () => ({ lines: [], last: 0, lost: 0 }),
  connect: async () => Promise.reject(new NexaError('unavailable', 'a command is no client that is listed')),
  beat: async () => undefined,
  disconnect: async () => undefined,
  clients: async () => ({ clients: [{ client: 'c1', name: null, node: 'n1', sinceMs: 0, heartbeatMs: 5_000 }], more: false }),
  findServices: async ({ service }) => ({
    services: [{ service, instance: 'a', ref: 'nexa:counter/a', node: null, metadata: { zone: 'x\u001b[2J' }, registeredAtMs: 0 }],
    more: false,
  }),
  registerService: async ({ service }) => ({ service, instance: 'a' }),
  deregisterService: async () => undefined,
  stopNode: () => void stopped.push('n1'),
};

let servers: TestServers;
let link: NatsLink;
let edge: PublicEdge;
const nexa = (...argv: string[]) => run([...argv, '--nats', servers.urls.join(',')]);
const json = async (...argv: string[]) => JSON.parse((await nexa(...argv, '-o', 'json')).stdout);

beforeAll(async () => {
  servers = await startServers();
  link = await connectNats({ servers: servers.urls, name: 'edge', role: 'data', clock: systemClock, random: systemRandom, log });
  const transport = link.transport();
  edge = publicEdge({
    transport,
    subjects: subjects('nexa'),
    clock: systemClock,
    log,
    node: 'n1',
    handlers,
    onDeadLetter: () => {},
  });
  edge.open();
  await transport.flush({ timeoutMs: 2_000 });
});
afterAll(async () => {
  await edge?.close({ timeoutMs: 1_000 });
  await link?.close();
  await servers?.stop();
});

test('a request reaches the node and its answer the screen', async () => {
  expect(await json('spawn', 'counter', 'alice')).toEqual({ type: 'counter', id: 'alice', node: 'n1', epoch: 9, created: true });
  expect(await json('ask', 'counter/ä/b', '{"type":"add","by":1}')).toEqual({ id: 'ä/b', command: { type: 'add', by: 1 } });
  expect(await json('ps')).toEqual([
    { type: 'counter', id: 'ä/b', node: 'n1', epoch: 9, state: 'running', mailbox: 0, restarts: 0, why: 'spawned' },
  ]);
  expect(await json('nodes')).toEqual((await handlers.nodes()).map((row) => ({ ...(row as object), full: false })));
  expect(await json('types')).toEqual(await handlers.types());
  expect(await json('types', 'counter')).toEqual(describe(counter));
  expect(await json('status', 'n1')).toEqual({ node: 'n1', state: 'running' });
  expect(await json('tree')).toEqual([{ node: 'n1', tree: await handlers.tree() }]);
});

test('clients and services are listed, and nothing in them reaches the terminal as it is', async () => {
  const since = '1970-01-01T00:00:00.000Z';
  expect(await json('clients')).toEqual([{ client: 'c1', name: null, node: 'n1', since, heartbeatMs: 5_000 }]);
  expect((await nexa('clients')).stdout).toMatch(
    /^NAME +CLIENT +ACCEPTED BY +SINCE +HEARTBEAT\n- +c1 +n1 +1970-01-01T00:00:00.000Z +5000ms\n$/,
  );
  const [row] = await json('services', 'workers');
  expect(row).toEqual({ service: 'workers', instance: 'a', ref: 'nexa:counter/a', node: null, metadata: { zone: 'x\u001b[2J' }, since });
  expect((await nexa('services', 'workers')).stdout).not.toContain('\u001b');
  expect(await nexa('services', '$clients')).toMatchObject({ exit: 2, stderr: expect.stringContaining('bad-id') });
});

test('topics are listed, watched until the limit, and published to; nothing in them reaches the terminal as it is', async () => {
  const row = { pattern: 'orders.>', group: null, subscribers: 2, delivered: 7, node: 'n1' };
  expect(await json('topics')).toEqual([row]);
  const shown = await nexa('topics');
  expect(shown.stdout).toMatch(/^PATTERN +GROUP +NODE +SUBSCRIBERS +DELIVERED\norders\.> +- +n1 +2 +7\n$/);
  expect(shown.stderr).toBe('n2 did not answer\n');

  const topics = subjects('nexa');
  const heard = new Promise<string>((resolve) => {
    link.transport().subscribe(topics.topic('orders.old'), ({ payload }) => resolve(Buffer.from(payload).toString()));
  });
  await link.transport().flush({ timeoutMs: 2_000 });
  expect(await json('topics', 'publish', 'orders.old', '{"type":"created","text":"\\u001b[2J"}')).toEqual({ published: 'orders.old' });
  expect(await heard).toBe('{"type":"created","text":"\\u001b[2J"}');

  const watching = nexa('topics', 'watch', 'orders.*', '--limit', '2', '-o', 'json');
  const publishing = setInterval(() => link.transport().publish(topics.topic('orders.ä'), Buffer.from('{"type":"x","text":"\x9b"}')), 20);
  const { exit, stdout } = await watching;
  clearInterval(publishing);
  expect(exit).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(Array(2).fill({ topic: 'orders.ä', message: { type: 'x', text: '\u009b' } }));
  expect(stdout).not.toContain('\u009b');
});

test('topics: what is typed wrong is wrong usage, and a name that is none is bad-id', async () => {
  for (const wrong of [
    ['topics', 'look'],
    ['topics', 'watch'],
    ['topics', 'publish', 'orders'],
    ['topics', 'publish', 'orders', '{"n":1}'],
    ['topics', 'watch', 'a', 'b'],
  ])
    expect(await nexa(...wrong), wrong.join(' ')).toMatchObject({ exit: 2, stderr: expect.stringContaining('error usage') });
  expect(await nexa('topics', 'publish', 'orders.*', '{"type":"x"}')).toMatchObject({ exit: 2, stderr: expect.stringContaining('bad-id') });
  expect(await nexa('topics', 'watch', 'orders..x')).toMatchObject({ exit: 2, stderr: expect.stringContaining('token 2 is empty') });
});

test('stop stops the agent or the node that was named', async () => {
  expect(await json('stop', 'counter/alice')).toEqual({ stopped: { type: 'counter', id: 'alice' } });
  expect(await json('stop', 'node', 'n1')).toEqual({ stopping: 'n1' });
  expect(stopped).toEqual(['counter/alice', 'n1']);
});

test('the items of a stream are printed as they come, each on a line', async () => {
  expect(await nexa('ask', 'counter/alice', '{"type":"write"}', '-o', 'json')).toEqual({
    exit: 0,
    stdout: '{"text":"one"}\n{"text":"alice"}\n',
    stderr: '',
  });
});

test('tell --durable prints the id under which it is stored', async () => {
  const tell = ['tell', 'counter/alice', '{"type":"add"}'] as const;
  expect(await json(...tell, '--durable', '--message-id', 'm7')).toEqual({ stored: { type: 'counter', id: 'alice', messageId: 'm7' } });
  expect(await json(...tell, '--durable')).toMatchObject({ stored: { messageId: expect.stringMatching(/^.{8,64}$/) } });
  expect(await nexa(...tell, '--durable', '--message-id', 'a b')).toMatchObject({ exit: 2 });
  expect(await nexa(...tell, '--message-id', 'm7')).toMatchObject({ exit: 2, stderr: expect.stringContaining('error usage') });
});

test('dead lists, shows, edits, replays and discards what was put aside', async () => {
  expect(await json('dead', 'list', 'counter/ä/b', '--after', '9', '--limit', '1')).toMatchObject([{ number: 17, tries: 5 }]);
  const { stdout, stderr } = await nexa('dead', 'list');
  expect(stdout).toContain('counter/ä/b');
  expect(stdout).toContain('crashed: a \\u{1b}[2J b');
  expect(stderr).toContain('nexa dead list --after 17');
  expect((await nexa('dead', 'show', '17')).stdout).toContain('{"type":"add","by":1}');
  expect(await json('dead', 'edit', '17', '{"type":"add","by":2}')).toEqual({ edited: 17, number: 18 });
  expect(await json('dead', 'replay', '18')).toEqual({ replayed: 18, type: 'counter', id: 'ä/b' });
  expect(await json('dead', 'discard', '18')).toEqual({ discarded: 18 });
  expect(asked).toEqual([
    { type: 'dead-list', filter: { type: 'counter', id: 'ä/b', after: 9, limit: 1 } },
    { type: 'dead-list', filter: { limit: 100 } },
    { type: 'dead-show', number: 17 },
    { type: 'dead-edit', number: 17, message: { type: 'add', by: 2 } },
    { type: 'dead-replay', number: 18 },
    { type: 'dead-discard', number: 18 },
  ]);
  for (const wrong of [
    ['dead'],
    ['dead', 'x'],
    ['dead', 'show'],
    ['dead', 'show', '0'],
    ['dead', 'edit', '1'],
    ['dead', 'show', '1', '{}'],
    ['dead', 'show', '1', '--limit', '2'],
  ])
    expect(await nexa(...wrong), wrong.join(' ')).toMatchObject({ exit: 2, stderr: expect.stringContaining('usage') });
});

test('tell leaves before the command ends', async () => {
  const arrived = new Promise<void>((resolve) => {
    heard = resolve;
  });
  expect((await nexa('tell', 'counter/alice', '{"type":"add"}')).exit).toBe(0);
  await arrived;
  expect(told).toEqual([{ type: 'counter', id: 'alice', command: { type: 'add' } }]);
});

test('what the node refuses keeps its code, its place and its fix', async () => {
  expect(await nexa('spawn', 'nothing')).toEqual({
    exit: 3,
    stdout: '',
    stderr: 'error unknown-type: no node runs nothing (type nothing)\n',
  });
  expect(await nexa('ask', 'counter/nobody', '{"type":"get"}')).toMatchObject({
    exit: 3,
    stderr: 'error no-such-actor: counter/nobody was never spawned — Spawn it first.\n',
  });
  expect(await json('ask', 'counter/full', '{"type":"add"}')).toMatchObject({
    ok: false,
    error: { code: 'refused', refusal: 'out-of-range', details: { value: 1 } },
  });
});

test('where nobody listens the answer comes at once', async () => {
  expect(await nexa('kill', 'n9')).toMatchObject({ exit: 4, stderr: expect.stringMatching(/^error unavailable: .*\n$/) });
  expect(await nexa('ps', '--cluster', 'other')).toMatchObject({ exit: 4, stderr: expect.stringMatching(/^error unavailable: .*\n$/) });
});

test('without a server it says so within its time, and what to do', async () => {
  const { exit, stderr } = await run(['ps', '--nats', 'nats://127.0.0.1:1']);
  expect(exit).toBe(4);
  expect(stderr).toMatch(/^error disconnected: .* — Start a cluster with `nexa up`, or name a running server with --nats <url>\.\n$/);
});
