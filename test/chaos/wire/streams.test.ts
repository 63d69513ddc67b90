import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeStream, deleteStream } from '../../../chaos/faults/wire/streams.ts';
import { alive, eventually, type LiveCluster, liveCluster } from '../../live/support.ts';
import { sceneOf } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 1 });
  expect(await live.client.ask('spawn', { type: 'counter', id: 'a' })).toMatchObject({ ok: true });
});
afterAll(() => live?.stop());

/** Asked again under one request id it counts once. */
const add = (requestId?: string) =>
  live.client.ask('agent.counter.a', { type: 'add', by: 1 }, { timeoutMs: 5_000, ...(requestId === undefined ? {} : { requestId }) });

test('F28: where a store takes no more, a write is refused for certain, and goes on when there is room again', async () => {
  await using scene = await sceneOf(live);
  expect(await add()).toEqual({ ok: true, reply: { value: 1 } });
  const undo = await changeStream(scene, 'STATE', 'no-room');
  expect(await add('r'.repeat(64))).toMatchObject({ ok: false, error: { code: 'quota-exceeded', definite: true } });
  await undo();
  await eventually('it goes on', 20_000, async () => {
    const answer = await add('goes-on');
    if (answer.ok) expect(answer.reply).toEqual({ value: 2 });
    return answer.ok;
  });
});

test('F28: only stores of the cluster are touched, by their names', async () => {
  await using scene = await sceneOf(live);
  for (const name of ['', 'state', '*', 'STATE.x', 'constructor', 'KV_STATE', '__proto__'])
    await expect(deleteStream(scene, name), name).rejects.toMatchObject({ code: 'invalid-message' });
  expect(await add()).toEqual({ ok: true, reply: { value: 3 } });
});

test('F28: a store that was deleted under a running node is named to who asks; the node stays up and answers', async () => {
  await using scene = await sceneOf(live);
  const pid = live.pid('n1');
  await deleteStream(scene, 'STATE');
  expect(await add()).toMatchObject({ ok: false, error: { code: 'store-misconfigured' } });
  expect(await live.client.ask('spawn', { type: 'counter', id: 'b' })).toMatchObject({ ok: false, error: { code: 'store-misconfigured' } });
  expect(await live.client.ask('ctl.n1', { type: 'status' })).toMatchObject({ ok: true, reply: { state: 'running' } });
  expect(live.pid('n1')).toBe(pid);
  expect(alive(pid)).toBe(true);
  await expect(deleteStream(scene, 'STATE')).rejects.toMatchObject({ code: 'unavailable' });
});
