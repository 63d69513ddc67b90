import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from '../../src/nats-server/ports.ts';
import { bare } from './bare.ts';
import { moodyAgents, program, temporary } from './program.ts';
import { alive, eventually, liveCluster, processesOf, report, send } from './support.ts';

test('C4: after everything was stopped and started again on the same data, permanent agents are back with their state', async () => {
  await using folder = await temporary();
  const named = { folder: folder.path, cluster: `cold-${process.pid}`, nodes: 2 };
  const ids = ['back-0', 'back-1', 'back-2', 'back-3'];
  {
    await using first = await liveCluster(named);
    for (const [index, id] of ids.entries()) {
      expect(await first.client.insist('spawn', { type: 'counter', id, restart: 'permanent' })).toMatchObject({ ok: true });
      expect(await first.client.insist(`agent.counter.${id}`, { type: 'add', by: index + 1 }, { requestId: 'once' })).toMatchObject({
        ok: true,
      });
    }
    expect(await first.client.insist('spawn', { type: 'counter', id: 'stopped' })).toMatchObject({ ok: true });
    expect(await first.client.insist('agents', { type: 'stop', agent: 'counter', id: 'stopped' })).toEqual({ ok: true });
  }
  const startedMs = performance.now();
  await using second = await liveCluster(named);
  const upMs = performance.now() - startedMs;
  await eventually('all run again', 60_000, async () => {
    const running = (await second.client.list()).filter((row) => row.state === 'running');
    return running.length === ids.length;
  });
  report(`cold start: nodes up after ${Math.round(upMs)} ms, all agents back after ${Math.round(performance.now() - startedMs)} ms`);
  for (const [index, id] of ids.entries()) {
    const add = { type: 'add', by: index + 1 };
    expect(await second.client.insist(`agent.counter.${id}`, add, { requestId: 'once' })).toEqual({
      ok: true,
      reply: { value: index + 1 },
    });
    expect(await second.client.insist(`agent.counter.${id}`, { type: 'get' })).toEqual({ ok: true, reply: { value: index + 1 } });
  }
  expect((await second.client.list()).find((row) => row.id === 'stopped')).toMatchObject({ state: 'stopped', node: null });
});

const TOLD = 200;
/** `nexa up` with three servers and three nodes, and a stranger's connection to it. */
async function up(folder: string, cluster: string, agents: string) {
  const data = join(folder, 'data');
  for (let tries = 1; ; tries++) {
    const port = String((await freePorts(1, '127.0.0.1'))[0]?.client);
    const flags = ['--servers', '3', '--nodes', '3', '--nats-port', port, '--data', data, '--cluster', cluster, '--agents', agents];
    const launcher = program(['up', ...flags]);
    try {
      await launcher.says(/^ready after/m);
    } catch (thrown) {
      // A port that was free may be somebody else's by now.
      if (tries < 3 && /error conflict: .*cannot be used/.test(launcher.stderr)) continue;
      throw thrown;
    }
    return { launcher, client: await bare([`127.0.0.1:${port}`], cluster, 'test') };
  }
}
/** The launcher first: nothing that ends is started again. */
const pidsOf = (folder: string, cluster: string, launcher = 0): readonly number[] => {
  const found = [...new Set([...processesOf(folder), ...processesOf(cluster)])];
  return [...found.filter((pid) => pid === launcher), ...found.filter((pid) => pid !== launcher)];
};

test('C4: a SIGKILL of every process at once, launcher and three nats-servers included, loses nothing that was acknowledged, short of the disk', async () => {
  await using folder = await temporary();
  // Not the beginning of another run's name: what bears it is killed.
  const cluster = `cut-${process.pid}-all`;
  const agents = await moodyAgents(folder.path);
  const ids = ['cut-0', 'cut-1', 'cut-2', 'cut-3', 'cut-4', 'cut-5'];
  const acknowledged = new Map<string, number>();
  try {
    const first = await up(folder.path, cluster, agents);
    for (const [index, id] of ids.entries())
      expect(await first.client.insist('spawn', { type: 'moody', id, config: { step: index + 1 }, restart: 'permanent' })).toMatchObject({
        ok: true,
      });
    for (const id of ['stopped', 'told']) expect(await first.client.insist('spawn', { type: 'moody', id })).toMatchObject({ ok: true });
    expect(await first.client.insist('agents', { type: 'stop', agent: 'moody', id: 'stopped' })).toEqual({ ok: true });
    expect(await first.client.insist('ctl.n2', { type: 'drain' }, { timeoutMs: 20_000 })).toMatchObject({ ok: true });
    let cut = false;
    const load = Promise.all(
      ids.map(async (id) => {
        // Until it is acknowledged it is the same addition: one at most has an unknown outcome.
        for (let n = 0; !cut; ) {
          const answer = await first.client.ask(`agent.moody.${id}`, { type: 'add' }, { timeoutMs: 1_000, requestId: `${id}-${n}` });
          if (!answer.ok) continue;
          acknowledged.set(id, answer.reply.value);
          n++;
        }
      }),
    );
    await eventually('each has taken additions', 60_000, () => ids.every((id) => acknowledged.has(id)));
    // Stored faster than they are handled: some wait when it all ends.
    let stored = 0;
    const telling = Promise.all(
      Array.from({ length: TOLD }, async (_, index) => {
        const answer = await first.client.ask('durable.moody.told', { type: 'add' }, { timeoutMs: 3_000, requestId: `told-${index}` });
        if (answer.ok) stored++;
      }),
    );
    await eventually('some messages are stored', 20_000, () => stored > 20);
    const pids = pidsOf(folder.path, cluster, first.launcher.pid);
    expect(pids.length).toBeGreaterThanOrEqual(7);
    for (const pid of pids) send(pid, 'SIGKILL');
    cut = true;
    await eventually('all of them have ended', 10_000, () => !pids.some(alive));
    await first.client.close();
    await Promise.all([load, telling]);

    const startedMs = performance.now();
    const second = await up(folder.path, cluster, agents);
    const upMs = Math.round(performance.now() - startedMs);
    for (const [index, id] of ids.entries()) {
      const answer = await eventually(`${id} answers`, 60_000, async () => {
        const read = await second.client.ask(`agent.moody.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
        return read.ok && read;
      });
      // One more may have been stored whose answer the cut took away.
      const least = acknowledged.get(id) ?? 0;
      expect([least, least + index + 1]).toContain(answer.reply.value);
      expect(await second.client.insist(`agent.moody.${id}`, { type: 'add' })).toEqual({
        ok: true,
        reply: { value: answer.reply.value + index + 1 },
      });
    }
    report(
      `${pids.length} processes killed at once: up after ${upMs} ms, all agents back after ${Math.round(performance.now() - startedMs)} ms`,
    );
    // Each of them once: those stored whose answer the cut took away as well.
    const handled = await eventually('every stored message is handled', 60_000, async () => {
      const read = await second.client.ask('agent.moody.told', { type: 'get' }, { timeoutMs: 1_000 });
      return read.ok && read.reply.value >= stored && read;
    });
    expect(handled.reply.value).toBeLessThanOrEqual(TOLD);
    for (let index = 0; index < TOLD; index++)
      expect(await second.client.insist('durable.moody.told', { type: 'add' }, { requestId: `told-${index}` })).toMatchObject({ ok: true });
    await eventually('those that were not stored are, and none is handled twice', 60_000, async () => {
      const read = await second.client.ask('agent.moody.told', { type: 'get' }, { timeoutMs: 1_000 });
      if (read.ok) expect(read.reply.value).toBeLessThanOrEqual(TOLD);
      return read.ok && read.reply.value === TOLD;
    });
    report(`${stored} of ${TOLD} durable messages were acknowledged before the cut, each has had its effect once`);
    const rows = await second.client.list();
    expect(rows.find((row) => row.id === 'stopped')).toMatchObject({ state: 'stopped', node: null });
    expect(rows.filter((row) => row.node === 'n2')).toEqual([]);
    expect(await second.client.insist('ctl.n2', { type: 'status' })).toMatchObject({ reply: { cordoned: true } });
    await second.client.close();
    second.launcher.child.kill('SIGTERM');
    expect(await second.launcher.ended).toBe(0);
  } finally {
    for (const pid of pidsOf(folder.path, cluster)) send(pid, 'SIGKILL');
  }
});
