import { expect, test } from 'vitest';
import type { Client } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { nexa } from './run.ts';

type Call = readonly [name: string, ...args: readonly unknown[]];

/** A client that answers from a table and remembers what it was asked. What a real one does on a network is tested with it. */
function answering(answers: Readonly<Record<string, (...args: readonly never[]) => unknown>>) {
  const calls: Call[] = [];
  let disposed = 0;
  const answer =
    (name: string) =>
    async (...args: readonly unknown[]) => {
      calls.push([name, ...args]);
      return answers[name]?.(...(args as never[]));
    };
  const face = (prefix: string, own: object): object =>
    new Proxy(own, {
      get: (target, name) =>
        name in target || typeof name === 'symbol' || name === 'then' ? Reflect.get(target, name) : answer(`${prefix}${name}`),
    });
  const agent = (protocol: { readonly type: string }, id: string) => `${protocol.type}/${id}`;
  const client = face('', { agent, cluster: face('cluster.', {}), [Symbol.asyncDispose]: async () => void disposed++ });
  return { calls, connect: async () => client as Client, disposed: () => disposed };
}

const agents = [
  { type: 'counter', id: 'alice', node: 'n1', epoch: 12, state: 'running', mailbox: 0, restarts: 1, why: 'spawned', inner: 'not shown' },
  { type: 'echo', id: 'e\u001b[2J', node: null, epoch: null, state: 'unplaced', why: 'no node has the label a\u001b=b' },
];
const nodes = [
  {
    node: 'n1',
    incarnation: 1_700_000_000_001,
    state: 'running',
    ready: true,
    degraded: true,
    suspended: false,
    cordoned: false,
    pid: 42,
    labels: { zone: 'eu' },
    version: '0.1.0',
    agents: 2,
    lagMs: 3,
  },
  { node: 'n2', incarnation: 1_700_000_000_002, state: 'running', ready: false, suspended: true, version: '0.1.0', agents: 0 },
  { node: 'n3', incarnation: 1_700_000_000_003, state: 'gone' },
];
const tree = {
  name: 'n1',
  path: '/',
  state: 'running',
  mailbox: 0,
  restarts: 0,
  lastReason: null,
  children: [
    {
      name: 'agents',
      path: '/agents',
      state: 'running',
      mailbox: 0,
      restarts: 0,
      lastReason: null,
      children: [
        { name: 'counter/alice', path: '/agents/a', state: 'running', mailbox: 3, restarts: 2, lastReason: 'crashed: boom', children: [] },
      ],
    },
    { name: 'system', path: '/system', state: 'running', mailbox: 0, restarts: 0, lastReason: null, children: [] },
  ],
};

test('every command closes its client, also when it fails', async () => {
  const good = answering({ 'cluster.list': () => [] });
  await nexa(['ps'], { connect: good.connect });
  const bad = answering({
    'cluster.list': () => {
      throw new NexaError('unavailable', 'nobody answered');
    },
  });
  expect((await nexa(['ps'], { connect: bad.connect })).exit).toBe(4);
  expect([good.disposed(), bad.disposed()]).toEqual([1, 1]);
});

test('ps prints each agent as one row, and as exactly the documented fields', async () => {
  const { connect, calls } = answering({ 'cluster.list': () => agents });
  const { stdout } = await nexa(['ps'], { connect });
  expect(stdout.split('\n').map((row) => row.split(/ {2,}/))).toEqual([
    ['AGENT', 'STATE', 'NODE', 'EPOCH', 'MAILBOX', 'RESTARTS', 'WHY'],
    ['counter/alice', 'running', 'n1', '12', '0', '1'],
    ['echo/e\\u{1b}[2J', 'unplaced', '-', '-', '-', '-', 'no node has the label a\\u{1b}=b'],
    [''],
  ]);
  const json = await nexa(['ps', 'counter', '-o', 'json'], { connect });
  expect(JSON.parse(json.stdout)).toEqual([
    { type: 'counter', id: 'alice', node: 'n1', epoch: 12, state: 'running', mailbox: 0, restarts: 1, why: 'spawned' },
    {
      ...{ type: 'echo', id: 'e\u001b[2J', node: null, epoch: null, state: 'unplaced', mailbox: null, restarts: null },
      why: 'no node has the label a\u001b=b',
    },
  ]);
  expect(calls).toEqual([
    ['cluster.list', { limit: 5_000 }],
    ['cluster.list', { limit: 5_000, type: 'counter' }],
  ]);
});

test('nodes prints each node as one row, and as exactly the documented fields', async () => {
  const { connect } = answering({ 'cluster.nodes': () => nodes });
  const { stdout } = await nexa(['nodes'], { connect });
  expect(stdout).toMatch(/^NODE {2,}STATE {2,}READY {2,}AGENTS {2,}LAG {2,}PID {2,}VERSION {2,}LABELS {2,}INCARNATION\n/);
  expect(stdout).toMatch(/^n1 +running +yes degraded +2 +3ms +42 +0\.1\.0 +zone=eu +1700000000001$/m);
  expect(stdout).toMatch(/^n2 +running suspended +no +0 +-/m);
  const full = answering({ 'cluster.nodes': () => [{ ...nodes[0], admits: false }] });
  expect((await nexa(['nodes'], { connect: full.connect })).stdout).toMatch(/^n1 +running full +yes/m);
  const json = JSON.parse((await nexa(['nodes', '-o', 'json'], { connect })).stdout);
  expect(json[0]).toEqual({ ...nodes[0], full: false });
  expect(json[2]).toEqual({
    node: 'n3',
    incarnation: 1_700_000_000_003,
    state: 'gone',
    ready: null,
    degraded: null,
    suspended: false,
    cordoned: false,
    full: false,
    pid: null,
    labels: {},
    version: '',
    agents: null,
    lagMs: null,
  });
});

test('spawn passes on what was typed, and says whether it was created', async () => {
  const answer = { type: 'counter', id: 'alice', node: 'n1', epoch: 7, created: true };
  const { connect, calls } = answering({ spawnRaw: () => answer });
  const typed = [
    'spawn',
    'counter',
    'alice',
    '--config',
    '{"a":1}',
    '--spawn-id',
    's',
    '--node',
    'n1',
    '--labels',
    'zone=eu,disk=',
    '--timeout',
    '2s',
  ];
  const { exit, stdout } = await nexa(typed, { connect });
  expect([exit, stdout]).toEqual([0, 'spawned counter/alice on n1, epoch 7\n']);
  const placement = { node: 'n1', labels: { zone: 'eu', disk: '' } };
  expect(calls).toEqual([['spawnRaw', { agent: 'counter', id: 'alice', config: { a: 1 }, spawnId: 's', placement, timeoutMs: 2_000 }]]);
  expect(JSON.parse((await nexa(['spawn', 'counter', '-o', 'json'], { connect })).stdout)).toEqual(answer);
  expect(calls[1]).toEqual(['spawnRaw', { agent: 'counter', timeoutMs: 10_000 }]);
});

test('spawn of what exists or was stopped is no error', async () => {
  const { connect } = answering({ spawnRaw: () => ({ type: 'counter', id: 'a', node: null, epoch: 0, created: false }) });
  expect(await nexa(['spawn', 'counter', 'a'], { connect })).toMatchObject({ exit: 0, stdout: 'exists counter/a is stopped\n' });
});

test('ask prints the reply, bare, so that it can be piped', async () => {
  const { connect, calls } = answering({ askRaw: () => ({ value: 1 }) });
  for (const format of ['table', 'json']) {
    expect((await nexa(['ask', 'counter/a/b', '{"type":"add","by":1}', '--request-id', 'r', '-o', format], { connect })).stdout).toBe(
      '{"value":1}\n',
    );
  }
  expect(calls[0]).toEqual(['askRaw', 'counter', 'a/b', { type: 'add', by: 1 }, { timeoutMs: 5_000, requestId: 'r' }]);
});

test('an ask without a reply says that it is done', async () => {
  const { connect } = answering({});
  expect((await nexa(['ask', 'a/b', '{"type":"go"}'], { connect })).stdout).toBe('done\n');
  expect((await nexa(['ask', 'a/b', '{"type":"go"}', '-o', 'json'], { connect })).stdout).toBe('null\n');
});

test('tell, stop and kill say what they did', async () => {
  const { connect, calls } = answering({});
  const said = async (...argv: string[]) => (await nexa(argv, { connect })).stdout.trimEnd();
  expect(await said('tell', 'counter/a', '{"type":"add"}')).toBe('told counter/a');
  expect(await said('tell', 'counter/a', '{"type":"add"}', '-o', 'json')).toBe('{"told":{"type":"counter","id":"a"}}');
  expect(await said('stop', 'counter/a')).toBe('stopped counter/a');
  expect(await said('stop', 'counter/a', '-o', 'json')).toBe('{"stopped":{"type":"counter","id":"a"}}');
  expect(await said('stop', 'node', 'n2')).toBe('n2 is leaving');
  expect(await said('stop', 'node', 'n2', '-o', 'json')).toBe('{"stopping":"n2"}');
  expect(await said('kill', 'n2')).toBe('killed n2');
  expect(await said('kill', 'n2', '-o', 'json')).toBe('{"killed":"n2"}');
  expect(calls[2]).toEqual(['stopAgent', 'counter/a', { timeoutMs: 10_000, forget: false }]);
  expect(calls.map(([name]) => name)).toEqual([
    'tellRaw',
    'tellRaw',
    'stopAgent',
    'stopAgent',
    'cluster.stopNode',
    'cluster.stopNode',
    'cluster.killNode',
    'cluster.killNode',
  ]);
});

test('tree draws the whole cluster, and a node that does not answer hides no other', async () => {
  const { connect } = answering({
    'cluster.nodes': () => nodes,
    'cluster.tree': (node: string) => {
      if (node === 'n2') throw new NexaError('unavailable', 'nobody answered');
      return tree;
    },
  });
  const { exit, stdout } = await nexa(['tree'], { connect });
  expect(exit).toBe(0);
  expect(stdout.split('\n')).toEqual([
    'n1  running',
    '├─ agents  running',
    '│  └─ counter/alice  running  mailbox 3  restarts 2  last crashed: boom',
    '└─ system  running',
    'n2  error unavailable: nobody answered',
    '',
  ]);
  const json = JSON.parse((await nexa(['tree', '-o', 'json'], { connect })).stdout);
  expect(json).toEqual([
    { node: 'n1', tree },
    { node: 'n2', error: expect.objectContaining({ code: 'unavailable' }) },
  ]);
  expect((await nexa(['tree', 'n2'], { connect })).exit).toBe(4);
});

test('types lists, and describes one with the JSON schema of its commands', async () => {
  const described = {
    type: 'counter',
    version: 1,
    storage: 'durable',
    summary: 'Counts.',
    commands: { add: { kind: 'ask', summary: 'Adds.', input: { type: 'object' }, reply: null, refusals: { full: { type: 'null' } } } },
  };
  const rows = [{ type: 'counter', version: 1, storage: 'durable', summary: 'Counts.', nodes: ['n1', 'n2'] }];
  const { connect } = answering({ 'cluster.types': () => rows, 'cluster.describe': () => described });
  expect((await nexa(['types'], { connect })).stdout).toMatch(/^counter +1 +durable +n1,n2 +Counts\.$/m);
  expect(JSON.parse((await nexa(['types', '-o', 'json'], { connect })).stdout)).toEqual(rows);
  expect((await nexa(['types', 'counter'], { connect })).stdout).toBe(
    'counter version 1, durable. Counts.\n\nadd  Adds.\n  takes    {"type":"object"}\n  answers  once handled\n  refuses  full {"type":"null"}\n',
  );
  expect(JSON.parse((await nexa(['types', 'counter', '-o', 'json'], { connect })).stdout)).toEqual(described);
});

test('status prints one fact a line, and passes the object on as JSON', async () => {
  const status = { node: 'n1', state: 'running', durability: 'quorum', natsServers: ['nats://a:1'], lagMs: 2 };
  const { connect, calls } = answering({ 'cluster.status': () => status });
  expect((await nexa(['status'], { connect })).stdout).toMatch(/^node +n1\nstate +running\n/);
  expect(JSON.parse((await nexa(['status', 'n1', '-o', 'json'], { connect })).stdout)).toEqual(status);
  expect(calls).toEqual([
    ['cluster.status', undefined],
    ['cluster.status', 'n1'],
  ]);
});

test('a type that is not there comes with the one that was probably meant', async () => {
  const { connect } = answering({
    spawnRaw: () => {
      throw new NexaError('unknown-type', 'no node runs the agent type "countr"', { where: { type: 'countr' }, fix: 'Start a node.' });
    },
    'cluster.types': () => [{ type: 'counter' }, { type: 'echo' }],
  });
  const { exit, stderr } = await nexa(['spawn', 'countr'], { connect });
  expect([exit, stderr]).toEqual([
    3,
    'error unknown-type: no node runs the agent type "countr" (type countr) — Did you mean counter? See `nexa types`.\n',
  ]);
});

test('a command or an option that is not there comes with the one that was probably meant', async () => {
  expect((await nexa(['spwan'])).stderr).toContain('(Did you mean spawn?)');
  expect((await nexa(['ps', '--ouptut', 'json'])).stderr).toContain('(Did you mean --output?)');
});
