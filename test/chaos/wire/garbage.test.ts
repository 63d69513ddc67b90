import { afterAll, beforeAll, expect, test } from 'vitest';
import { garbage } from '../../../chaos/faults/wire/garbage.ts';
import { alive, eventually, type LiveCluster, liveCluster, memoryOf, report } from '../../live/support.ts';
import { sceneOf } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 2 });
});
afterAll(() => live?.stop());

test('F20: garbage on every subject is refused and counted; a node answers before, meanwhile and afterwards, and nothing is carried out', async () => {
  await using scene = await sceneOf(live, 20);
  const pids = live.nodes.map((node) => live.pid(node));
  // At a named node: it is not moved to even the load out.
  const victim = { type: 'counter', id: 'victim', placement: { node: 'n1' } };
  expect(await live.client.ask('spawn', victim, { timeoutMs: 10_000 })).toMatchObject({ ok: true });
  const add = () => live.client.ask('agent.counter.victim', { type: 'add', by: 1 }, { timeoutMs: 10_000 });
  expect(await add()).toEqual({ ok: true, reply: { value: 1 } });
  const listed = await live.client.list();
  const before = await Promise.all(pids.map(memoryOf));
  const counted = await eventually('each node is looked at', 20_000, async () => {
    const now = await refusals();
    return now.every((one) => one !== false) && now;
  });
  let over = false;
  const sending = garbage(scene, 6_000).finally(() => {
    over = true;
  });
  let value = 1;
  while (!over) expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
  const { sent, families, whole } = await sending;
  report(`garbage: ${JSON.stringify(sent)} to ${JSON.stringify(families)}, ${whole} left out; ${value} additions meanwhile`);
  for (const kind of ['hostile-body', 'random-bytes', 'large', 'mutated', 'forged', 'hostile-subject', 'hostile-reply'])
    expect(sent[kind], kind).toBeGreaterThan(0);
  for (const family of [
    'spawn',
    'agent',
    'durable',
    'agents',
    'ctl',
    'flow',
    'connect',
    'services',
    'topic',
    'node',
    'reply',
    'beat',
    'event',
  ])
    expect(families[family], family).toBeGreaterThan(0);
  await eventually('each node says how many frames it refused', 20_000, async () => {
    const now = await refusals();
    return live.nodes.every(
      (_, at) => now[at].undecodable > counted[at].undecodable && now[at].unknownVersion > counted[at].unknownVersion,
    );
  });
  expect(await add()).toEqual({ ok: true, reply: { value: ++value } });
  expect(await live.client.list()).toEqual(listed);
  expect(live.nodes.map((node) => live.pid(node))).toEqual(pids);
  expect(pids.every(alive)).toBe(true);
  const grown = Math.max(...(await Promise.all(pids.map(memoryOf))).map((bytes, index) => bytes - (before[index] ?? 0)));
  report(`memory of a node grew by ${Math.round(grown / 1e6)} MB`);
  expect(grown).toBeLessThan(250e6);
});

async function refusals() {
  const answers = await Promise.all(live.nodes.map((node) => live.client.ask(`ctl.${node}`, { type: 'inspect' })));
  return answers.map((answer) => answer.ok && answer.reply.sample.refusedFrames);
}
