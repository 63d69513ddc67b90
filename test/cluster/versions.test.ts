import { expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeAgent } from '../../src/cluster/place.ts';
import { decodeState } from '../../src/durable/fenced-state.ts';
import { calmCluster } from '../simulation/cluster.ts';

const commands = {
  add: command({ line: z.string() }),
  read: command({}, { reply: z.object({ version: z.int(), lines: z.array(z.string()) }) }),
};
/** Version 1 keeps one text, version 2 a list of lines. */
const v1 = defineAgent({ type: 'note', version: 1, commands, state: z.string(), initial: '' }).handle({
  add: ({ state }, { line }) => ({ state: state === '' ? line : `${state}\n${line}` }),
  read: ({ state }) => ({ reply: { version: 1, lines: state.split('\n') } }),
});
const v2Of = (upcast: (state: unknown) => unknown) =>
  defineAgent({ type: 'note', version: 2, commands, state: z.array(z.string()), initial: [], upcast: { 1: upcast } }).handle({
    add: ({ state }, { line }) => ({ state: [...state, line] }),
    read: ({ state }) => ({ reply: { version: 2, lines: state } }),
  });
const v2 = v2Of((state) => String(state).split('\n'));

/** n1 and n2 of version 1, n3 of version 2, not started yet. */
const rolling = (third = v2) => calmCluster({ size: 2, definitionsOf: (name) => [name === 'n3' ? third : v1] });
type Rolling = Awaited<ReturnType<typeof rolling>>;
const recordOf = async ({ world, store }: Rolling, id: string) => {
  const found = await world.until(store('AGENTS').get(`note.${id}`, { timeoutMs: 1_000 }));
  return found === undefined ? undefined : decodeAgent(found.value, createCodec(), `note.${id}`);
};
const stateOf = async ({ world, store }: Rolling, id: string) => {
  const found = await world.until(store('STATE').get(`note.${id}`, { timeoutMs: 1_000 }));
  return found === undefined ? undefined : decodeState(found.value, createCodec(), `note.${id}`);
};
const rowOf = async ({ world, member }: Rolling, from: string, id: string) =>
  (await world.until(member(from).agents.list({ type: 'note', id, limit: 10 }))).agents[0];

test('an update one node at a time: the state is lifted on the new node, no old one takes it back, and it waits for the next new one', async () => {
  await using cluster = await rolling();
  const { world, ask, asking, member } = cluster;
  await cluster.spawn('note', 'a', 'n1');
  await ask('n1', 'note/a', { type: 'add', line: 'one' });
  expect(await recordOf(cluster, 'a')).toMatchObject({ version: 1 });

  await world.until(world.start('n3'));
  await world.run(3_000);
  // One of the old nodes goes: whoever takes the agent, it works, and is lifted once version 2 has it.
  await world.until(world.leave('n1'));
  await world.run(5_000);
  if ((await recordOf(cluster, 'a'))?.owner?.node !== 'n3') {
    await world.until(world.leave('n2'));
    await world.run(5_000);
  }
  expect(await ask('n3', 'note/a', { type: 'read' })).toEqual({ version: 2, lines: ['one'] });
  expect([await recordOf(cluster, 'a'), await stateOf(cluster, 'a')]).toMatchObject([
    { version: 2, owner: { node: 'n3' } },
    { version: 2 },
  ]);
  await ask('n3', 'note/a', { type: 'add', line: 'two' });

  for (const old of ['n1', 'n2']) if (world.nodes.get(old)?.alive !== true) await world.until(world.start(old));
  await world.run(3_000);
  world.crash('n3', 10);
  await world.run(60_000);
  expect((await recordOf(cluster, 'a'))?.owner).toMatchObject({ node: 'n3' });
  expect(await rowOf(cluster, 'n1', 'a')).toMatchObject({ state: 'unplaced', why: 'no node runs version 2 of its type, or a later one' });
  expect(member('n1').cluster.unplaced + member('n2').cluster.unplaced).toBeGreaterThan(0);
  const asked = asking('n1', 'note/a', { type: 'read' });
  await world.until(asked.done);
  expect(asked.came).toMatchObject({ error: { code: 'unavailable', definite: true } });
  await expect(world.until(member('n1').agents.spawn({ type: 'note', id: 'a', timeoutMs: 2_000 }))).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no node runs version 2 of its type, or a later one',
  });

  await world.until(world.start('n3'));
  await world.run(5_000);
  expect(await ask('n1', 'note/a', { type: 'read' })).toEqual({ version: 2, lines: ['one', 'two'] });
});

test('a stopped agent that version 2 owned is not spawned again by version 1', async () => {
  await using cluster = await rolling();
  const { world, ask, member } = cluster;
  await world.until(world.start('n3'));
  await world.run(3_000);
  await cluster.spawn('note', 'a', 'n3');
  await ask('n1', 'note/a', { type: 'add', line: 'one' });
  await world.until(member('n1').agents.stop('note', 'a', { forget: false, timeoutMs: 5_000 }));
  world.crash('n3', 10);
  await world.run(3_000);
  await expect(cluster.spawn('note', 'a', 'n1')).rejects.toMatchObject({ code: 'unavailable', definite: true });
  await world.until(world.start('n3'));
  await world.run(3_000);
  expect(await world.until(member('n1').agents.spawn({ type: 'note', id: 'a', timeoutMs: 5_000 }))).toMatchObject({
    node: 'n3',
    created: true,
  });
  expect(await ask('n2', 'note/a', { type: 'read' })).toEqual({ version: 2, lines: ['one'] });
});

test('when only the state says that version 2 wrote it, version 1 gives it back unharmed, and then it waits for version 2', async () => {
  await using cluster = await rolling();
  const { world, ask, member, store } = cluster;
  await world.until(world.start('n3'));
  await world.run(3_000);
  await cluster.spawn('note', 'a', 'n3');
  await ask('n1', 'note/a', { type: 'add', line: 'one' });
  await world.until(member('n1').agents.stop('note', 'a', { forget: false, timeoutMs: 5_000 }));
  // As an hour later, when the stopped record is swept.
  const kept = await world.until(store('AGENTS').get('note.a', { timeoutMs: 1_000 }));
  await world.until(store('AGENTS').delete('note.a', kept?.revision ?? 0, { timeoutMs: 1_000 }));
  world.crash('n3', 10);
  await world.run(3_000);
  await expect(cluster.spawn('note', 'a', 'n1')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no node runs version 2 of its type, or a later one',
  });
  await world.run(5_000);
  expect(await recordOf(cluster, 'a')).toMatchObject({ desired: 'running', owner: undefined, version: 2 });
  expect(await stateOf(cluster, 'a')).toMatchObject({ version: 2, state: ['one'] });
  await world.until(world.start('n3'));
  await world.run(5_000);
  expect(await ask('n2', 'note/a', { type: 'read' })).toEqual({ version: 2, lines: ['one'] });
});

test('an upcast that fails puts the agent aside with the reason, and leaves its state as it was', async () => {
  const broken = v2Of(() => {
    throw new Error('no such field');
  });
  await using cluster = await rolling(broken);
  const { world, ask, asking } = cluster;
  await cluster.spawn('note', 'a', 'n1');
  await ask('n1', 'note/a', { type: 'add', line: 'one' });
  await world.until(world.start('n3'));
  await world.run(3_000);
  for (const old of ['n1', 'n2']) await world.until(world.leave(old));
  await world.run(10_000);
  expect(await recordOf(cluster, 'a')).toMatchObject({
    desired: 'quarantined',
    why: expect.stringContaining('corrupt-record: lifting its state from version 1 threw: no such field'),
  });
  expect(await stateOf(cluster, 'a')).toMatchObject({ version: 1, state: 'one' });
  const asked = asking('n3', 'note/a', { type: 'read' });
  await world.until(asked.done);
  expect(asked.came).toMatchObject({ error: { code: 'quarantined' } });
});
