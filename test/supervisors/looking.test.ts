import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type AgentInspection, type AgentWhy, counter, type NodeInspection } from '../../actors/index.ts';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { type Client, clientOver } from '../../src/client.ts';
import type { PublicHandlers } from '../../src/edge/handlers.ts';
import { type LogPage, LogRing } from '../../src/edge/log-ring.ts';
import { publicEdge } from '../../src/edge/public-edge.ts';
import type { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { publicHandlers } from '../../supervisors/public-handlers.ts';
import { superviseNode } from '../../supervisors/trees/node-tree.ts';
import { quietControls, quietLoad, quietReadiness } from '../actors/load.ts';
import { membersWorld } from '../actors/members.ts';

const moody = defineAgent({
  type: 'moody',
  version: 3,
  commands: { set: command({ text: z.string() }), crash: command({ why: z.string() }), tick: command({}), child: command({}) },
  config: z.object({ step: z.int().default(1), apiKey: z.string().default(''), url: z.string().default('') }),
  state: z.object({ text: z.string() }),
  initial: { text: '' },
  limits: { stateBytes: 2_000, limit: 50 },
}).handle({
  set: (_context, { text }) => ({ state: { text } }),
  crash(_context, { why }) {
    throw new Error(why);
  },
  tick: (context) => void context.every(1_000, { type: 'tick' }, 'beat'),
  child: (context) => void context.spawn({ behavior: () => ({ receive: () => undefined }) }, 'helper'),
});

const FACTS = {
  ...({ state: 'running', cluster: 'sim', natsServers: [], server: 'memory', durability: 'memory', verified: true } as const),
  ...{ replicas: 1, uptimeMs: 5, ...quietReadiness },
};
let cluster: Awaited<ReturnType<typeof membersWorld>>;
let client: Client;
/** What n1 answers, whichever node a client's request would meet. */
let atN1: PublicHandlers;
let logs: Record<string, LogRing>;
const until = <T>(promise: Promise<T>): Promise<T> => cluster.world.until(promise);
const run = (ms: number): Promise<void> => cluster.world.run(ms);
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  until(
    promise.then(
      () => 'ok',
      (error: NexaError) => error.code,
    ),
  );

/** Two nodes with their own actors and edges, and a client outside. */
beforeEach(async () => {
  const definitions = [counter, moody] as never;
  cluster = await membersWorld({ n1: definitions, n2: definitions });
  const { world } = cluster;
  const { subjects, clock } = world;
  logs = { n1: new LogRing(clock), n2: new LogRing(clock) };
  for (const node of ['n1', 'n2']) {
    const member = cluster.member(node);
    const needs = {
      definitions,
      load: quietLoad,
      facts: () => ({ ...FACTS, node }),
      logs: logs[node] as LogRing,
      leave: () => {},
      ...quietControls,
    };
    const handlers = publicHandlers({ member, refs: superviseNode(member, needs) });
    if (node === 'n1') atN1 = handlers;
    const transport = world.network.connect(node).transport;
    const edge = publicEdge({ transport, subjects, clock, log: silentLogger, node, handlers, onDeadLetter: () => {} });
    edge.open();
  }
  client = clientOver({ transport: world.network.connect('outside').transport, subjects, clock, random: seededRandom(5) });
  await run(1_500);
});
afterEach(() => cluster.close());

const spawn = (id: string, node: string, config?: object) =>
  until(client.spawnRaw({ agent: 'moody', id, placement: { node }, ...(config === undefined ? {} : { config }) }));
const ask = (id: string, type: string, more: object = {}) => codeOf(client.askRaw('moody', id, { type, ...more }, { timeoutMs: 20_000 }));
const inspect = async (id: string) => (await until(client.cluster.inspect('moody', id))) as AgentInspection;
const why = async (id: string) => (await until(client.cluster.why('moody', id))) as AgentWhy;

describe('inspect of an agent', () => {
  test('says where it runs and why, what it was given, and what it takes of what it may', async () => {
    await spawn('al/ice', 'n2', { step: 7 });
    for (const type of ['tick', 'child']) expect(await ask('al/ice', type)).toBe('ok');
    expect(await ask('al/ice', 'set', { text: 'x'.repeat(500) })).toBe('ok');
    const said = await inspect('al/ice');
    expect(said).toMatchObject({
      ...{ type: 'moody', id: 'al/ice', node: 'n2', state: 'running', desired: 'running', cause: 'spawn', why: 'spawned' },
      ...{
        restart: 'permanent',
        placement: { node: 'n2' },
        version: 3,
        config: { step: 7 },
        lastCrash: null,
        answered: true,
        reminders: [],
      },
      running: {
        ...{ state: 'running', version: 3, mailbox: 0, mailboxLimit: 50, stateLimitBytes: 2_000, restarts: 0, handled: 3 },
        ...{ timers: 1, children: ['helper'], moreChildren: 0 },
      },
    });
    expect(said.epoch).toBe(said.running?.epoch);
    expect(said.running?.stateBytes).toBeGreaterThan(500);
    expect(said.running?.stateBytes).toBeLessThan(600);
  });

  test('shows no secret of a configuration, and of a large one no more than is good', async () => {
    await spawn('secret', 'n1', { apiKey: 'hunter2', url: 'nats://me:hunter2@host' });
    const { config } = await inspect('secret');
    expect(config).toEqual({ apiKey: '[redacted]', url: 'nats://[redacted]@host' });
    await spawn('large', 'n1', { url: 'x'.repeat(10_000) });
    expect(JSON.stringify((await inspect('large')).config).length).toBeLessThan(600);
  });

  test('of one that crashed says why and when, also while it waits to be restarted and after it was put aside', async () => {
    await spawn('sad', 'n2');
    expect(await ask('sad', 'crash', { why: 'no coffee' })).toBe('crashed');
    expect((await inspect('sad')).lastCrash).toMatchObject({ code: 'crashed', message: expect.stringContaining('no coffee') });
    for (let count = 0; count < 5; count++) await ask('sad', 'crash', { why: `again ${count}` });
    await run(2_000);
    const said = await inspect('sad');
    expect(said).toMatchObject({ state: 'quarantined', node: null, running: null, why: expect.stringContaining('again 4') });
    expect((await why('sad')).lastCrash).toMatchObject({ node: 'n2', message: expect.stringContaining('again 4') });
  });

  test('that never was is no-such-actor, and a bad name is refused before anybody is asked', async () => {
    expect(await codeOf(client.cluster.inspect('moody', 'nobody'))).toBe('no-such-actor');
    expect(await codeOf(client.cluster.why('moody', 'nobody'))).toBe('no-such-actor');
    expect(await codeOf(client.cluster.inspect('__proto__.x', 'nobody'))).toBe('unknown-type');
    expect(await codeOf(client.cluster.inspect('moody', 'x'.repeat(250)))).toBe('bad-id');
  });

  test('whose owner does not answer is shown from its record', async () => {
    await spawn('far', 'n2');
    cluster.world.network.faults.pause('n2');
    expect(await until(atN1.inspect('moody', 'far'))).toMatchObject({ node: 'n2', running: null, answered: false });
    expect(await until(atN1.why('moody', 'far'))).toMatchObject({ node: 'n2', silent: ['n2'], moves: [{ node: 'n2', cause: 'spawn' }] });
  });
});

describe('why', () => {
  test('names every place it has been, with the reason, the epoch and the time', async () => {
    const { epoch } = await spawn('mover', 'n1');
    await run(1_000);
    await until(cluster.member('n1').cluster.drain({ timeoutMs: 10_000 }));
    await run(1_000);
    const said = await why('mover');
    expect(said).toMatchObject({
      ...{
        type: 'moody',
        id: 'mover',
        node: 'n2',
        state: 'running',
        cause: 'drain',
        why: 'node n1 is drained',
        complete: true,
        silent: [],
      },
      moves: [
        { node: 'n1', cause: 'spawn', epoch: expect.any(Number) },
        { node: 'n2', cause: 'drain', why: 'node n1 is drained', epoch: null },
      ],
    });
    expect(said.moves[0]?.epoch).toBeGreaterThanOrEqual(epoch);
    expect(said.moves[1]?.atMs).toBeGreaterThan(said.moves[0]?.atMs ?? Number.POSITIVE_INFINITY);
  });

  test('shows the messages to it that died, wherever that was, without their bodies, and nobody else’s', async () => {
    await spawn('sad', 'n2');
    await spawn('other', 'n2');
    await ask('sad', 'crash', { why: 'hunter2' });
    await ask('other', 'crash', { why: 'not mine' });
    const { system } = cluster.member('n1');
    system.deadLetter({ to: { kind: 'agent', type: 'moody', id: 'sad' }, message: { type: 'set', text: 'hunter2' } }, 'not-owner');
    const { deadLetters } = await why('sad');
    expect(deadLetters).toMatchObject([
      { node: 'n2', to: 'nexa:moody/sad', type: 'crash', reason: 'crashed', error: { code: 'crashed' } },
      { node: 'n1', to: 'nexa:moody/sad', type: 'set', reason: 'not-owner', error: null },
    ]);
    expect(JSON.stringify(deadLetters)).not.toContain('"text"');
  });

  test('answers within its bounds after 100,000 dead letters, and the node keeps a thousand', async () => {
    await spawn('flooded', 'n2');
    const { system } = cluster.member('n2');
    const to = { kind: 'agent', type: 'moody', id: 'flooded' } as const;
    for (let count = 0; count < 100_000; count++)
      system.deadLetter({ to, message: { type: 'set', text: 'x'.repeat(300) } }, 'mailbox-full');
    expect(system.deadLetters.count).toBe(100_000);
    expect(system.deadLetters.list().length).toBeLessThanOrEqual(1_000);
    const { deadLetters } = await why('flooded');
    expect(deadLetters).toHaveLength(20);
    expect(deadLetters.at(-1)).toMatchObject({ number: 100_000 });
  });
});

describe('a node', () => {
  test('is inspected: how it is, what it measured, how the last minute was, and its dead letters', async () => {
    await spawn('there', 'n2');
    expect(await codeOf(atN1.ask('moody', 'there', { type: 'set', text: '' }, { timeoutMs: 5_000 }))).toBe('ok');
    const { system } = cluster.member('n1');
    system.deadLetter({ to: { kind: 'agent', type: 'moody', id: '\u001b[2J' }, message: 7 }, 'no-actor');
    await run(5_000);
    const said = (await until(client.cluster.inspectNode('n1'))) as NodeInspection;
    expect(said.status).toMatchObject({ node: 'n1', members: 2, rssBytes: 1_000 });
    expect(said.sample).toMatchObject({ node: 'n1', memoryLimitBytes: 4_000, lagMaxMs: 5, peers: [{ node: 'n2' }] });
    expect(said.lastMinute).toMatchObject({ cpu: { least: 0.25, mean: 0.25, most: 0.25 }, lagMs: { most: 2 } });
    expect(said.deadLetters).toMatchObject([{ to: 'nexa:moody/\u001b[2J', type: null, reason: 'no-actor' }]);
  });

  test('gives its log from a level on, and what came after a line', async () => {
    const log = logs.n1?.keeping(silentLogger);
    log?.info({ boot: 'b1' }, 'hello');
    log?.error({ token: 'hunter2' }, 'oh no');
    const page = async (wanted: object) => (await until(client.cluster.logs('n1', wanted))) as LogPage;
    expect(await page({})).toMatchObject({ lines: [{ message: 'hello', fields: { boot: 'b1' } }, { message: 'oh no' }], last: 2, lost: 0 });
    expect(await page({ level: 'error' })).toMatchObject({ lines: [{ level: 'error', fields: { token: '[redacted]' } }] });
    expect(await page({ after: 1 })).toMatchObject({ lines: [{ n: 2 }] });
    for (const wanted of [{ level: 'debug' }, { limit: 0 }, { limit: 100_000 }, { after: -1 }, { after: 1.5 }])
      expect(await codeOf(client.cluster.logs('n1', wanted as never))).toBe('invalid-message');
  });
});
