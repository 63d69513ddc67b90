import { expect, test } from 'vitest';
import { temporary } from './program.ts';
import { eventually, liveCluster, report } from './support.ts';

test('C4: after everything was stopped and started again on the same data, permanent agents are back with their state', async () => {
  await using folder = await temporary();
  const named = { folder: folder.path, cluster: `cold-${process.pid}`, nodes: 2 };
  const ids = ['back-0', 'back-1', 'back-2', 'back-3'];
  {
    await using first = await liveCluster(named);
    for (const [index, id] of ids.entries()) {
      expect(await first.client.ask('spawn', { type: 'counter', id, restart: 'permanent' })).toMatchObject({ created: true });
      expect(await first.client.ask(`agent.counter.${id}`, { type: 'add', by: index + 1 }, { requestId: 'once' })).toMatchObject({
        ok: true,
      });
    }
    expect(await first.client.ask('spawn', { type: 'counter', id: 'stopped' })).toMatchObject({ created: true });
    expect(await first.client.ask('agents', { type: 'stop', agent: 'counter', id: 'stopped' })).toEqual({ ok: true });
  }
  const startedMs = performance.now();
  await using second = await liveCluster(named);
  const upMs = performance.now() - startedMs;
  await eventually('all run again', 20_000, async () => {
    const running = (await second.client.list()).filter((row) => row.state === 'running');
    return running.length === ids.length;
  });
  report(`cold start: nodes up after ${Math.round(upMs)} ms, all agents back after ${Math.round(performance.now() - startedMs)} ms`);
  for (const [index, id] of ids.entries()) {
    const add = { type: 'add', by: index + 1 };
    expect(await second.client.ask(`agent.counter.${id}`, add, { requestId: 'once' })).toEqual({ ok: true, reply: { value: index + 1 } });
    expect(await second.client.ask(`agent.counter.${id}`, { type: 'get' })).toEqual({ ok: true, reply: { value: index + 1 } });
  }
  expect((await second.client.list()).find((row) => row.id === 'stopped')).toMatchObject({ state: 'stopped', node: null });
});

test('C4: a power cut of all processes at once loses nothing that was acknowledged to a caller, short of the disk', async () => {
  await using folder = await temporary();
  const named = { folder: folder.path, cluster: `cut-${process.pid}`, nodes: 2 };
  let acknowledged = 0;
  {
    await using first = await liveCluster(named);
    expect(await first.client.ask('spawn', { type: 'counter', id: 'cut' })).toMatchObject({ created: true });
    for (let n = 0; n < 50; n++) {
      const answer = await first.client.ask('agent.counter.cut', { type: 'add', by: 1 });
      if (answer.ok) acknowledged = answer.reply.value;
    }
    await Promise.all(first.servers.servers.map((server) => server.kill()));
    for (const node of first.nodes) first.signal(node, 'SIGKILL');
  }
  await using second = await liveCluster(named);
  const answer = await eventually('it answers', 30_000, async () => {
    const read = await second.client.ask('agent.counter.cut', { type: 'get' }, { timeoutMs: 1_000 });
    return read.ok && read;
  });
  expect(acknowledged).toBe(50);
  expect(answer.reply).toEqual({ value: acknowledged });
});
