import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { counter, echo, type MonitorEvent, type Sample } from '../../actors/index.ts';
import { receive, stopped } from '../../src/actor/behavior.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { describe as describeType } from '../../src/agent/describe.ts';
import { LogRing } from '../../src/edge/log-ring.ts';
import type { NexaError } from '../../src/errors.ts';
import { childRef } from '../../supervisors/supervise.ts';
import { type NodeRefs, nodeTree, superviseNode } from '../../supervisors/trees/node-tree.ts';
import { quietControls, quietLoad, quietReadiness } from './load.ts';
import { membersWorld } from './members.ts';

const FACTS = {
  state: 'running',
  cluster: 'sim',
  natsServers: [],
  server: 'memory',
  durability: 'memory',
  verified: true,
  replicas: 1,
  uptimeMs: 5,
  ...quietReadiness,
} as const;
const within = { timeoutMs: 5_000 };

let cluster: Awaited<ReturnType<typeof membersWorld>>;
let refs: Record<'n1' | 'n2', NodeRefs>;
let broken: boolean;
let leaves: string[];
let logs: Record<'n1' | 'n2', LogRing>;
const until = <T>(promise: Promise<T>): Promise<T> => cluster.world.until(promise);
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  until(
    promise.then(
      () => 'ok',
      (error: NexaError) => error.code,
    ),
  );
const run = (ms: number): Promise<void> => cluster.world.run(ms);

beforeEach(async () => {
  cluster = await membersWorld({ n1: [counter], n2: [counter, echo] });
  broken = false;
  leaves = [];
  logs = { n1: new LogRing(cluster.world.clock), n2: new LogRing(cluster.world.clock) };
  const own = (node: 'n1' | 'n2', definitions: readonly (typeof counter | typeof echo)[]): NodeRefs =>
    superviseNode(cluster.member(node), {
      definitions: definitions as never,
      load: {
        ...quietLoad,
        cpu: () => {
          if (broken && node === 'n1') throw new Error('the sampler broke');
          return 0.25;
        },
      },
      facts: () => FACTS,
      logs: logs[node],
      leave: () => void leaves.push(node),
      ...quietControls,
    });
  refs = { n1: own('n1', [counter]), n2: own('n2', [counter, echo]) };
  await run(100);
});
afterEach(async () => {
  await cluster.close();
});

describe('node', () => {
  test('status says how the node is, with what the monitor measured', async () => {
    const { self } = cluster.member('n1').cluster;
    const status = await until(refs.n1.node.ask({ type: 'status' }, within));
    expect(status).toMatchObject({ ...FACTS, ...self, members: 2, agents: 0, suspended: false, lagMs: 2, rssBytes: 1_000, cpu: 0.25 });
  });

  test('nodes lists every member with what its last beat said', async () => {
    const rows = await until(refs.n2.node.ask({ type: 'nodes' }, within));
    expect(rows.map(({ node }) => node)).toEqual(['n1', 'n2']);
    expect(rows[0]).toMatchObject({
      state: 'running',
      suspended: false,
      suspect: false,
      pid: 42,
      lagMs: 3,
      agents: 0,
      labels: { of: 'n1' },
    });
  });

  test('a member that left is shown as gone, last, and without what its beats said', async () => {
    await until(cluster.member('n1').cluster.leave({ timeoutMs: 5_000 }));
    await run(1_000);
    const rows = await until(refs.n2.node.ask({ type: 'nodes' }, within));
    expect(rows.map(({ node, state, pid, lagMs }) => [node, state, pid, lagMs])).toEqual([
      ['n2', 'running', 42, 3],
      ['n1', 'gone', null, null],
    ]);
  });

  test('the tree shows the supervised actors and the agents by their names', async () => {
    await until(cluster.member('n1').agents.spawn({ type: 'counter', id: 'ä/b', placement: { node: 'n1' }, timeoutMs: 5_000 }));
    const tree = await until(refs.n1.node.ask({ type: 'tree' }, within));
    expect(tree).toMatchObject({ name: 'n1', path: '/', state: 'running', restarts: 0, lastReason: null });
    expect(tree.more).toBeUndefined();
    const system = tree.children.find(({ name }) => name === 'system');
    expect(system?.children.map(({ name, path, state }) => [name, path, state])).toEqual([
      ['monitor', '/system/monitor', 'running'],
      ['health', '/system/health', 'running'],
      ['registry', '/system/registry', 'running'],
      ['node', '/system/node', 'running'],
    ]);
    const agents = tree.children.find(({ name }) => name === 'agents');
    expect(agents?.children.map(({ name }) => name)).toEqual(['counter/ä/b']);
  });

  test('a tree of more actors than one answer holds says how many are left out', async () => {
    const { system } = cluster.member('n1');
    for (let count = 0; count < 2_500; count++) system.spawn({ behavior: () => receive(() => {}) }, `actor-${count}-${'x'.repeat(200)}`);
    await run(100);
    const tree = await until(refs.n1.node.ask({ type: 'tree' }, within));
    const count = (branch: typeof tree): number => branch.children.reduce((sum, child) => sum + count(child), 1);
    expect(count(tree) - 1 + (tree.more ?? 0)).toBe(system.actors);
    expect(JSON.stringify(tree).length).toBeLessThan(500_000);
  });

  test('leave begins the leave and is answered', async () => {
    expect(await until(refs.n1.node.ask({ type: 'leave' }, within))).toBe(null);
    expect(leaves).toEqual(['n1']);
  });

  test('a message of a newer node is refused, not a crash', async () => {
    for (const ref of Object.values(refs.n1)) {
      expect(await codeOf((ref as never as typeof refs.n1.node).ask({ type: 'dance' } as never, within))).toBe('unknown-command');
    }
    expect(cluster.member('n1').system.counters.restarts).toBe(0);
  });
});

describe('registry', () => {
  const registry = () => refs.n1.registry;

  test('types lists what any node runs, described by a node that runs it', async () => {
    expect(await until(registry().ask({ type: 'types' }, within))).toEqual([
      { type: 'counter', version: 1, storage: 'durable', nodes: ['n1', 'n2'], summary: counter.summary ?? '' },
      { type: 'echo', version: 1, storage: 'memory', nodes: ['n2'], summary: echo.summary ?? '' },
    ]);
  });

  test('describe gives the schema of a type that only another node runs', async () => {
    expect(await until(registry().ask({ type: 'describe', agent: 'echo' }, within))).toEqual(describeType(echo));
    expect(await until(registry().ask({ type: 'describe', agent: 'counter' }, within))).toEqual(describeType(counter));
  });

  test('a type that nobody runs is unknown, also one with the name of an inherited property', async () => {
    for (const agent of ['nothing', 'constructor', '__proto__'])
      expect(await codeOf(registry().ask({ type: 'describe', agent }, within))).toBe('unknown-type');
  });

  test('a type whose nodes do not answer is unavailable, and listed without what they would say', async () => {
    cluster.world.network.faults.pause('n2');
    expect(await codeOf(registry().ask({ type: 'describe', agent: 'echo' }, within))).toBe('unavailable');
    const rows = await until(registry().ask({ type: 'types' }, within));
    expect(rows.find(({ type }) => type === 'echo')).toEqual({ type: 'echo', version: 1, storage: '', nodes: ['n2'], summary: '' });
  });

  test('list shows agents wherever they run, and stop ends one', async () => {
    const { agents } = cluster.member('n1');
    for (const [id, node] of [
      ['a', 'n1'],
      ['b', 'n2'],
    ] as const)
      await until(agents.spawn({ type: 'counter', id, placement: { node }, timeoutMs: 5_000 }));
    await run(200);
    const list = () => until(registry().ask({ type: 'list', limit: 10 }, within));
    expect((await list()).agents.map(({ id, node, state }) => [id, node, state])).toEqual([
      ['a', 'n1', 'running'],
      ['b', 'n2', 'running'],
    ]);
    expect((await until(registry().ask({ type: 'list', agent: 'counter', id: 'b', limit: 10 }, within))).agents).toHaveLength(1);
    expect(await until(registry().ask({ type: 'stop', agent: 'counter', id: 'b', forget: false }, within))).toBe(null);
    await run(200);
    expect((await list()).agents.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'running'],
      ['b', 'stopped'],
    ]);
    expect(await codeOf(registry().ask({ type: 'stop', agent: 'counter', id: 'nobody', forget: false }, within))).toBe('no-such-actor');
  });

  test('it is reached from any node by its place in the tree', async () => {
    const { system } = cluster.member('n2');
    const far = childRef(system, nodeTree, 'registry', cluster.member('n1').cluster.self);
    expect(await until(far.ask({ type: 'types-here' }, within))).toHaveLength(1);
  });
});

describe('monitor', () => {
  const collector = (node: 'n1' | 'n2') => {
    const events: MonitorEvent[] = [];
    const ref: ActorRef<MonitorEvent | { readonly type: 'end' }> = cluster
      .member(node)
      .system.spawn<MonitorEvent | { readonly type: 'end' }>({
        behavior: () => receive((_context, message) => (message.type === 'end' ? stopped : void events.push(message))),
      });
    return { ref, events };
  };
  const subscribe = (to: ActorRef<MonitorEvent>) => until(refs.n1.monitor.ask({ type: 'subscribe', to }, within));

  test('the latest sample counts actors, mailboxes, restarts and dead letters, per node and per type', async () => {
    const { system, agents } = cluster.member('n1');
    await until(agents.spawn({ type: 'counter', id: 'a', placement: { node: 'n1' }, timeoutMs: 5_000 }));
    const dead = system.spawn({ behavior: () => receive(() => stopped) });
    dead.tell({});
    await run(100);
    dead.tell({});
    await run(1_000);
    const sample = await until(refs.n1.monitor.ask({ type: 'latest' }, within));
    expect(sample).toMatchObject({
      ...cluster.member('n1').cluster.self,
      cpu: 0.25,
      rssBytes: 1_000,
      heapBytes: 500,
      lagMs: 2,
      agents: 1,
      mailbox: 0,
      restarts: 0,
    });
    expect(sample.actors).toBe(system.actors);
    expect(sample.types).toMatchObject({ counter: { agents: 1, mailbox: 0, restarts: 0 } });
    expect(sample.deadLetters).toEqual({ stopped: 1 });
  });

  test('per type it says what was handled, how often it failed, and what is allocated and used', async () => {
    const { system, agents } = cluster.member('n1');
    for (const id of ['a', 'b']) await until(agents.spawn({ type: 'counter', id, placement: { node: 'n1' }, timeoutMs: 5_000 }));
    const ask = (by: number) =>
      until(
        system
          .unsafeRef<Request<{ readonly type: 'add'; readonly by: number }, unknown>>({ kind: 'agent', type: 'counter', id: 'a' })
          .ask({ type: 'add', by }, within),
      );
    await run(1_000);
    for (let count = 0; count < 20; count++) await ask(1);
    await run(1_000);
    const history = await until(refs.n1.monitor.ask({ type: 'history', limit: 600 }, within));
    const { counter: now } = history.at(-1)?.types ?? {};
    expect(now).toMatchObject({ agents: 2, handled: 20, failures: 0, mailboxLimit: 2_000, mailboxLimitBytes: 2 * 8 * 2 ** 20 });
    expect(now?.stateBytes).toBeGreaterThan(10);
    expect(now?.stateBytes).toBeLessThan(100);
    expect(now?.stateLimitBytes).toBeGreaterThan(1_000);
    expect(history.reduce((sum, { types }) => sum + (types.counter?.handledPerS ?? 0), 0)).toBeCloseTo(20, 0);
    expect(history.some(({ types }) => (types.counter?.handlerP99Ms ?? 0) > 0)).toBe(true);
  });

  test('it says what passes between the nodes, what NATS carries, how much memory there is and how late the loop is', async () => {
    const { system } = cluster.member('n1');
    await until(cluster.member('n2').agents.spawn({ type: 'echo', id: 'e', placement: { node: 'n2' }, timeoutMs: 5_000 }));
    const before = await until(refs.n1.monitor.ask({ type: 'latest' }, within));
    for (let count = 0; count < 10; count++)
      system.unsafeRef({ kind: 'agent', type: 'echo', id: 'e' }).tell({ type: 'echo', value: 'x'.repeat(1_000) });
    await run(2_000);
    const after = await until(refs.n1.monitor.ask({ type: 'latest' }, within));
    const peer = (sample: Sample) => sample.peers.find(({ node }) => node === 'n2');
    expect((peer(after)?.sent ?? 0) - (peer(before)?.sent ?? 0)).toBe(10);
    expect((peer(after)?.sentBytes ?? 0) - (peer(before)?.sentBytes ?? 0)).toBeGreaterThan(10_000);
    expect(after.messagesOut - before.messagesOut).toBeGreaterThanOrEqual(10);
    expect(after.bytesOut - before.bytesOut).toBeGreaterThan(10_000);
    expect(after).toMatchObject({
      ...{ nats: { messagesIn: 1, messagesOut: 2, bytesIn: 30, bytesOut: 40 }, lagP50Ms: 1, lagMs: 2, lagMaxMs: 5 },
      ...{ externalBytes: 10, memoryLimitBytes: 4_000, heapLimitBytes: 2_000, capacity: 1 },
    });
  });

  test('ten minutes of samples are kept, and no more', async () => {
    await run(700_000);
    const history = await until(refs.n1.monitor.ask({ type: 'history', limit: 10_000 }, within));
    expect(history).toHaveLength(600);
    expect((history.at(-1)?.atMs ?? 0) - (history[0]?.atMs ?? 0)).toBeCloseTo(599_000, 0);
    expect(await until(refs.n1.monitor.ask({ type: 'history', limit: 3 }, within))).toEqual(history.slice(-3));
  });

  test('a subscriber gets one sample a second until it unsubscribes', async () => {
    const { ref, events } = collector('n1');
    await subscribe(ref);
    await subscribe(ref);
    await run(3_000);
    expect(events).toHaveLength(3);
    const times = events.map((event) => (event as { readonly sample: Sample }).sample.atMs);
    expect(times.map((atMs) => Math.round(atMs - (times[0] ?? 0)))).toEqual([0, 1_000, 2_000]);
    await until(refs.n1.monitor.ask({ type: 'unsubscribe', to: ref }, within));
    await run(3_000);
    expect(events).toHaveLength(3);
  });

  test('a subscriber on another node is served too, and forgotten when it ends', async () => {
    const { ref, events } = collector('n2');
    const far = childRef(cluster.member('n2').system, nodeTree, 'monitor', cluster.member('n1').cluster.self);
    await until(far.ask({ type: 'subscribe', to: ref }, within));
    await run(2_500);
    expect(events.length).toBeGreaterThanOrEqual(2);
    ref.tell({ type: 'end' });
    await run(1_500);
    const { deadLetters } = cluster.member('n2').system;
    const before = deadLetters.count;
    await run(5_000);
    expect(deadLetters.count).toBe(before);
  });

  test('it takes a bounded number of subscribers', async () => {
    for (let count = 0; count < 100; count++) await subscribe(collector('n1').ref);
    expect(await codeOf(refs.n1.monitor.ask({ type: 'subscribe', to: collector('n1').ref }, within))).toBe('overloaded');
  });

  test('a sampler that throws restarts the monitor alone; the tree says why, subscribers hear of it, and it recovers', async () => {
    const { ref, events } = collector('n1');
    await subscribe(ref);
    broken = true;
    await run(90_000);
    expect(events.at(-1)).toEqual({ type: 'unsubscribed' });
    const branch = async () => {
      const tree = await until(refs.n1.node.ask({ type: 'tree' }, within));
      const system = tree.children.find(({ name }) => name === 'system');
      return Object.fromEntries((system?.children ?? []).map((child) => [child.name, child]));
    };
    const during = await branch();
    expect(during.monitor?.restarts).toBeGreaterThan(5);
    expect(during.monitor?.lastReason).toContain('the sampler broke');
    expect(during.node).toMatchObject({ state: 'running', restarts: 0, lastReason: null });
    expect(await until(refs.n1.node.ask({ type: 'status' }, within))).toMatchObject({ cpu: null, rssBytes: null, lagMs: null });
    broken = false;
    await run(15_000);
    expect((await branch()).monitor?.state).toBe('running');
    expect(await until(refs.n1.monitor.ask({ type: 'latest' }, within))).toMatchObject({ cpu: 0.25 });
    await subscribe(ref);
    await run(1_500);
    expect(events.at(-1)?.type).toBe('sampled');
  });
});
