import { type ActorRef, NexaError, type Props, type Request, receive, serviceKey } from 'nexa';
import { type TestCluster, testCluster } from 'nexa/testkit';
import { describe, expect, test } from 'vitest';
import { ticker } from './agents.ts';

const T = { timeoutMs: 1_000 };
const DAY_MS = 86_400_000;
const nodeOf = (world: TestCluster, name: string) => {
  const found = world.nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const otherThan = (world: TestCluster, name: string | null) => {
  const found = world.nodes.find((node) => node.name !== name);
  if (found === undefined) throw new Error('one node alone');
  return found.name;
};
async function refusal(run: () => unknown): Promise<NexaError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof NexaError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('what a test awaits just comes, on whatever node it is, and costs as much virtual time as it takes', async () => {
  await using world = await testCluster({ agents: [ticker] });
  expect(world.nodes.map(({ name, state }) => [name, state])).toEqual([
    ['n1', 'running'],
    ['n2', 'running'],
    ['n3', 'running'],
  ]);
  for (const { name } of world.nodes) {
    const { ref, node } = await world.spawn(ticker, { id: name, placement: { node: name } });
    expect(node).toBe(name);
    expect(await ref.ask({ type: 'add' }, T)).toEqual({ value: 1 });
    for (const other of world.nodes) expect(await other.agent(ticker, name).ask({ type: 'get' }, T)).toEqual({ value: 1 });
  }
  await world.stopAgent(world.agent(ticker, 'n1'));
  expect(await refusal(() => world.agent(ticker, 'n1').ask({ type: 'get' }, T))).toMatchObject({ code: 'no-such-actor' });
});

describe('time', () => {
  test('a timer fires at its time and not a millisecond before, and only when time is moved', async () => {
    await using world = await testCluster({ nodes: 1, agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'after', ms: 5_000 }, T);
    await world.settle();
    await world.advance(4_999);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 0 });
    await world.advance(1);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 1 });
  });

  test('a stream comes item by item, as long as somebody takes them', async () => {
    await using world = await testCluster({ agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    const items: number[] = [];
    for await (const { value } of ref.stream({ type: 'countTo', to: 5, everyMs: 60_000 }, { idleTimeoutMs: 100_000 })) items.push(value);
    expect(items).toEqual([1, 2, 3, 4, 5]);
    for await (const { value } of ref.stream({ type: 'countTo', to: 5, everyMs: 60_000 }, { idleTimeoutMs: 100_000 })) {
      items.push(value);
      break;
    }
    expect(items).toHaveLength(6);
  });

  test('an ask under way waits for the time that the test moves, and for no more', async () => {
    await using world = await testCluster({ agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    const { ref: slow } = await world.spawn(ticker, { id: 'b' });
    const first = slow.stream({ type: 'countTo', to: 1, everyMs: 10_000 }, { idleTimeoutMs: 20_000 })[Symbol.asyncIterator]().next();
    let came = false;
    void first.then(() => {
      came = true;
    });
    await world.advance(9_000);
    expect(came).toBe(false);
    await world.advance(2_000);
    expect(came).toBe(true);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 0 });
  });

  test('explicit moves come one after the other', async () => {
    await using world = await testCluster({ nodes: 1, agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'every', ms: 1_000 }, T);
    const seen: unknown[] = [];
    await Promise.all(
      [2_000, 3_000, 5_000].map(async (ms) => {
        await world.advance(ms);
        seen.push(ms);
      }),
    );
    expect(seen).toEqual([2_000, 3_000, 5_000]);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 10 });
  });

  test('what is due at an instant happens at it, after however many days', async () => {
    await using world = await testCluster({ nodes: 1, agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'remind', everyMs: DAY_MS }, T);
    await world.advance(100 * DAY_MS - 1);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 99 });
    await world.advance(1);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 100 });
  });

  test('a month of daily reminders is thirty, whichever node is lost meanwhile', { timeout: 60_000 }, async () => {
    await using world = await testCluster({ agents: [ticker], seed: 7 });
    const { ref, node } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'remind', everyMs: DAY_MS }, T);
    await world.advance(10 * DAY_MS);
    world.crash(node);
    await world.advance(10 * DAY_MS);
    expect(nodeOf(world, node ?? '').state).toBe('stopped');
    await world.restart(node ?? '');
    await world.advance(10 * DAY_MS);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 30 });
  });
});

describe('faults', () => {
  test('an agent outlives its node with what it acknowledged; its watchers hear nothing', async () => {
    await using world = await testCluster({ agents: [ticker] });
    const { ref, node } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'add' }, T);
    const watcher = world.probe();
    watcher.watch(ref);
    world.crash(node);
    await watcher.expectNothing(2_000);
    expect(await ref.ask({ type: 'add' }, T)).toEqual({ value: 2 });
    const again = await world.spawn(ticker, { id: 'a' });
    expect(again).toMatchObject({ created: false });
    expect(again.node).not.toBe(node);
  });

  test('a machine that is lost silently is missed after its lease', async () => {
    await using world = await testCluster({ agents: [ticker], leaseMs: 5_000 });
    const { ref, node } = await world.spawn(ticker, { id: 'a' });
    world.crash(node, { silent: true });
    await world.advance(3_000);
    expect(await refusal(() => ref.ask({ type: 'get' }, T))).toMatchObject({ where: { seed: '1' } });
    await world.advance(10_000);
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 0 });
  });

  test('who is cut off suspends, its agents go on where most nodes are, and it comes back as somebody new', async () => {
    await using world = await testCluster({ agents: [ticker], leaseMs: 5_000 });
    const { ref } = await world.spawn(ticker, { id: 'a', placement: { node: 'n3' } });
    const cut = nodeOf(world, 'n3');
    world.partition(['n3']);
    const lone = cut.agent(ticker, 'a');
    expect(await refusal(() => ref.ask({ type: 'add' }, { timeoutMs: 2_000 }))).toMatchObject({ code: 'ask-timeout' });
    await world.advance(15_000);
    expect((await world.spawn(ticker, { id: 'a' })).node).not.toBe('n3');
    const { value } = await ref.ask({ type: 'add' }, T);
    expect(value).toBeGreaterThanOrEqual(1);
    expect(await refusal(() => lone.ask({ type: 'add' }, { timeoutMs: 600_000 }))).toBeInstanceOf(NexaError);
    world.heal();
    await world.advance(120_000);
    expect(cut.state).toBe('stopped');
    await expect(cut.done).rejects.toMatchObject({ code: 'fenced' });
    const back = nodeOf(world, 'n3');
    expect(back).toMatchObject({ state: 'running' });
    expect(back.incarnation).toBeGreaterThan(cut.incarnation);
    expect(await back.agent(ticker, 'a').ask({ type: 'get' }, T)).toEqual({ value });
  });

  test('a pause shorter than the lease costs a pause, a longer one the agents', async () => {
    await using world = await testCluster({ agents: [ticker], leaseMs: 5_000 });
    await world.spawn(ticker, { id: 'a', placement: { node: 'n2' } });
    const whereIs = async (): Promise<string | null> => (await world.spawn(ticker, { id: 'a' })).node;
    world.pause('n2', 2_000);
    await world.advance(4_000);
    expect(await whereIs()).toBe('n2');
    world.pause('n2', 20_000);
    await world.advance(25_000);
    expect(await whereIs()).not.toBe('n2');
    world.pause('n1', DAY_MS);
    world.heal();
    expect(await nodeOf(world, 'n1').agent(ticker, 'a').ask({ type: 'get' }, T)).toEqual({ value: 0 });
  });

  test('a node leaves and is drained as in production', async () => {
    await using world = await testCluster({ agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a', placement: { node: 'n1' } });
    expect(await nodeOf(world, 'n1').drain()).toEqual({ moved: 1, left: 0 });
    expect(nodeOf(world, 'n1').state).toBe('maintenance');
    await nodeOf(world, 'n1').uncordon();
    expect(nodeOf(world, 'n1').state).toBe('running');
    const leaving = nodeOf(world, 'n2');
    await leaving.stop();
    await leaving.done;
    expect(leaving.state).toBe('stopped');
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 0 });
    await world.restart('n2');
    expect(nodeOf(world, 'n2')).toMatchObject({ state: 'running' });
    expect(nodeOf(world, 'n2').incarnation).toBeGreaterThan(leaving.incarnation);
    expect((await world.spawn(ticker, { id: 'b', placement: { node: 'n2' } })).node).toBe('n2');
  });

  test('what was asked through a node that ends is answered: nobody knows', async () => {
    await using world = await testCluster({ agents: [ticker] });
    const { ref, node } = await world.spawn(ticker, { id: 'a' });
    await ref.ask({ type: 'add' }, T);
    const gone = nodeOf(world, otherThan(world, node));
    const asked = refusal(() => gone.agent(ticker, 'a').ask({ type: 'get' }, { timeoutMs: 60_000 }));
    world.crash(gone.name);
    expect(await asked).toMatchObject({ code: 'node-lost', definite: false });
    expect(await refusal(() => gone.agent(ticker, 'a').ask({ type: 'get' }, T))).toMatchObject({ code: 'node-lost' });
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 1 });
  });
});

describe('bad use is a typed error', () => {
  test.each([
    ['no nodes', { nodes: 0 }, 'nodes'],
    ['half a node', { nodes: 1.5 }, 'nodes'],
    ['too many', { nodes: 101 }, 'nodes'],
    ['a seed that is none', { seed: Number.NaN }, 'seed'],
    ['a negative seed', { seed: -1 }, 'seed'],
    ['a lease without length', { leaseMs: 0 }, 'leaseMs'],
    ['delays that go back', { delayMs: [5, 1] as const }, 'delayMs'],
    ['labels of nobody', { labels: { n9: {} } }, 'labels'],
  ])('%s', async (_what, options, field) => {
    expect(await refusal(() => testCluster(options))).toMatchObject({ code: 'invalid-message', definite: true, where: { field } });
  });

  test('two agents of one type', async () => {
    expect(await refusal(() => testCluster({ agents: [ticker, ticker] }))).toMatchObject({ code: 'invalid-definition' });
  });

  test('in a world that goes on as if nothing had been', async () => {
    await using world = await testCluster({ agents: [ticker], seed: 42 });
    const bad: readonly (() => unknown)[] = [
      () => world.advance(-1),
      () => world.advance(Number.NaN),
      () => world.advance(Number.POSITIVE_INFINITY),
      () => world.advance('5' as never),
      () => world.crash('n9'),
      () => world.crash(null),
      () => world.restart('test'),
      () => world.pause('n1', -5),
      () => world.pause('nobody', 5),
      () => world.partition(['n1', 'n7']),
      () => world.partition(['n1'], ['n1', 'n2']),
      () => world.probe().expect(() => true, -1),
      () => world.probe().expectNothing(Number.NaN),
    ];
    for (const use of bad) expect(await refusal(use), String(use)).toMatchObject({ code: 'invalid-message', definite: true });
    expect(await refusal(() => world.probe('a b/c'))).toMatchObject({ code: 'bad-id' });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 0 });
  });

  test('after it was disposed', async () => {
    const world = await testCluster({ agents: [ticker] });
    const { ref } = await world.spawn(ticker, { id: 'a' });
    const waiting = refusal(() =>
      ref.stream({ type: 'countTo', to: 1, everyMs: 50_000 }, { idleTimeoutMs: 90_000 })[Symbol.asyncIterator]().next(),
    );
    // Nobody looks at this one any more.
    void ref.ask({ type: 'get' }, T);
    const [node] = world.nodes;
    await world[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: 'unavailable' });
    const late: readonly (() => unknown)[] = [
      () => world.advance(1),
      () => world.settle(),
      () => world.crash('n1'),
      () => world.restart('n1'),
      () => world.pause('n1', 1),
      () => world.partition(['n1']),
      () => world.heal(),
      () => world.probe(),
      () => world.spawn(ticker, { id: 'b' }),
      () => world.stopAgent(ref),
      () => ref.ask({ type: 'get' }, T),
      () => node?.drain(),
    ];
    for (const use of late) expect(await refusal(use), String(use)).toMatchObject({ code: 'unavailable', definite: true });
  });
});

describe('plain actors', () => {
  type Echo = Request<{ readonly type: 'say'; readonly text: string }, string> | { readonly type: 'stop' };
  const echo: Props<Echo> = {
    behavior: () => receive((context, message) => (message.type === 'say' ? context.reply(message, message.text) : undefined)),
  };

  test('live on a node, are asked from the test, and their watchers hear of it when the node is lost', async () => {
    await using world = await testCluster();
    const there: ActorRef<Echo> = nodeOf(world, 'n2').system.spawn(echo, 'echo');
    const from = world.system.unsafeRef<Echo>(there.toJSON());
    expect(await from.ask({ type: 'say', text: 'hello' }, T)).toBe('hello');
    const probe = world.probe('watcher');
    probe.watch(from);
    await world.settle();
    world.crash('n2');
    expect(await probe.expectTerminated(from)).toMatchObject({ reason: 'node-lost' });
    await probe.expectNothing(10_000);
  });
});

test('durable messages and registrations are awaited as anything else', async () => {
  await using world = await testCluster({ agents: [ticker] });
  const { ref } = await world.spawn(ticker, { id: 'a' });
  await ref.tellDurably({ type: 'add' }, T);
  await world.settle();
  expect(await ref.ask({ type: 'get' }, T)).toEqual({ value: 1 });
  const key = serviceKey<{ readonly type: 'note' }>('notes');
  const probe = world.probe<{ readonly type: 'note' }>();
  await world.system.receptionist.register(key, probe.ref);
  await world.advance(1_000);
  for (const node of world.nodes) {
    const [service] = node.receptionist.find(key);
    service?.ref.tell({ type: 'note' });
    await probe.expect();
  }
});
