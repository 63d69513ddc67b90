import { afterAll, beforeAll, expect, test } from 'vitest';
import { granted } from './granted.ts';
import { eventually, type LiveCluster, liveCluster } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 2 });
});
afterAll(() => live?.stop());

/** Where whoever is asked says: what goes there does not move to even the load out, so its place and epoch stay. */
const placement = { strategy: 'local' };
const spawn = (body: object) => live.client.ask('spawn', { type: 'counter', placement, ...body });
const stop = (id: string) => live.client.ask('agents', { type: 'stop', agent: 'counter', id });

test('C8: a repeated spawn id answers where the agent is, with or without an id, and creates nothing', async () => {
  const first = await spawn({ id: 'repeated', spawnId: 'order 1' });
  expect(first).toMatchObject({ ok: true, created: true, agent: { type: 'counter', id: 'repeated' } });
  expect(await spawn({ id: 'repeated', spawnId: 'order 1' })).toEqual({ ...first, created: false });
  const named = await spawn({ spawnId: 'order 2' });
  expect(named).toMatchObject({ ok: true, created: true });
  expect(await spawn({ spawnId: 'order 2' })).toEqual({ ...named, created: false });
});

test('C8: of many spawns of one id at once, through several connections, one says created and all name the same activation', async () => {
  const clients = await Promise.all(['a', 'b', 'c', 'd'].map((name) => live.connect(name)));
  for (const round of [1, 2, 3, 4, 5]) {
    const answers = await Promise.all(
      clients.flatMap((client, index) =>
        [1, 2, 3, 4].map((n) =>
          client.ask('spawn', {
            type: 'counter',
            placement,
            id: `race ${round}`,
            ...(n % 2 === 0 ? {} : { spawnId: `race-${round}-${index % 2}` }),
          }),
        ),
      ),
    );
    const made = answers.filter((answer) => answer.ok && answer.created === true);
    expect(made).toHaveLength(1);
    for (const answer of answers) expect(answer).toMatchObject({ ok: true, agent: made[0]?.ok ? made[0].agent : {} });
  }
});

test('C8: a running agent with another configuration is a conflict, and an unknown type is said to be one', async () => {
  expect(await spawn({ id: 'configured' })).toMatchObject({ ok: true, created: true });
  expect(await spawn({ id: 'configured' })).toMatchObject({ ok: true, created: false });
  expect(await spawn({ id: 'configured', config: { other: true } })).toMatchObject({ ok: false });
  expect(await live.client.ask('spawn', { type: 'nothing', id: 'x' })).toMatchObject({
    ok: false,
    error: { code: 'unknown-type', definite: true },
  });
  expect((await live.client.list()).filter((row) => row.type === 'nothing')).toEqual([]);
});

test('C8: over a stopped agent a repeat answers that it is nowhere, and a new spawn creates it again with a higher epoch', async () => {
  const first = await spawn({ id: 'stopped', spawnId: 'stopped-1' });
  expect(await live.client.ask('agent.counter.stopped', { type: 'add', by: 3 })).toMatchObject({ reply: { value: 3 } });
  expect(await stop('stopped')).toEqual({ ok: true });
  expect(await live.client.ask('agent.counter.stopped', { type: 'get' })).toMatchObject({ ok: false, error: { code: 'no-such-actor' } });
  expect(await spawn({ id: 'stopped', spawnId: 'stopped-1' })).toMatchObject({ ok: true, created: false, agent: { node: null } });
  const second = await spawn({ id: 'stopped' });
  expect(second).toMatchObject({ ok: true, created: true });
  if (!first.ok || !second.ok) throw new Error('not spawned');
  expect(second.agent?.epoch).toBeGreaterThan(first.agent?.epoch ?? 0);
  expect(await live.client.ask('agent.counter.stopped', { type: 'get' })).toEqual({ ok: true, reply: { value: 3 } });
});

test('C8: a request repeated under one id has one effect and one answer, also when its node was killed in between', async () => {
  for (const node of ['n1', 'n2']) {
    const id = `once-${node}`;
    expect(await granted(() => spawn({ id, placement: { node } }))).toMatchObject({ agent: { node } });
    const add = () => live.client.ask(`agent.counter.${id}`, { type: 'add', by: 7 }, { requestId: 'one', timeoutMs: 2_000 });
    expect(await granted(add)).toEqual({ ok: true, reply: { value: 7 } });
    expect(await granted(add)).toEqual({ ok: true, reply: { value: 7 } });
    const from = live.events.length;
    live.signal(node, 'SIGKILL');
    const repeated = await eventually('the repeat is answered', 30_000, async () => {
      const answer = await add();
      return answer.ok && answer;
    });
    expect(repeated).toEqual({ ok: true, reply: { value: 7 } });
    expect(await granted(() => live.client.ask(`agent.counter.${id}`, { type: 'get' }))).toEqual({ ok: true, reply: { value: 7 } });
    await live.heard('ready', node, from);
  }
});

test('C8: a request that was under way when its node was killed has one effect, whatever its callers heard', async () => {
  const owner = 'n1';
  await granted(() => spawn({ id: 'cut', placement: { node: owner } }));
  const from = live.events.length;
  const add = (n: number) => live.client.ask('agent.counter.cut', { type: 'add', by: 1 }, { requestId: `cut-${n}`, timeoutMs: 1_000 });
  const under = Array.from({ length: 40 }, (_, n) => add(n));
  await Promise.race(under);
  live.signal(owner, 'SIGKILL');
  const first = await Promise.all(under);
  const second = await Promise.all(
    first.map((answer, n) =>
      eventually(`addition ${n} is acknowledged`, 30_000, async () => {
        const again = await add(n);
        if (again.ok && answer.ok) expect(again).toEqual(answer);
        return again.ok && again;
      }),
    ),
  );
  expect(second.map((answer) => answer.reply.value).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  expect(await granted(() => live.client.ask('agent.counter.cut', { type: 'get' }))).toEqual({ ok: true, reply: { value: 40 } });
  await live.heard('ready', owner, from);
});
