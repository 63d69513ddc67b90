import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster();
});
afterAll(() => live?.stop());

const AGENTS = 12;
const TTL_MS = 5_000;

/** Agents that all run on this node and stay there, each with one acknowledged addition. */
async function agentsOn(node: string, name: string): Promise<readonly string[]> {
  await live.settled();
  const ids = Array.from({ length: AGENTS }, (_, index) => `${name}-${index}`);
  await Promise.all(
    ids.map(async (id) => {
      const spawned = await live.client.insist('spawn', { type: 'counter', id, placement: { node } });
      expect(spawned).toMatchObject({ ok: true, agent: { id, node } });
      expect(await live.client.insist(`agent.counter.${id}`, { type: 'add', by: 1 }, { requestId: `first-${id}` })).toEqual({
        ok: true,
        reply: { value: 1 },
      });
    }),
  );
  return ids;
}

/** When each of them was answered again, from now on, by another node. */
async function answering(ids: readonly string[]): Promise<readonly number[]> {
  const startedMs = performance.now();
  return Promise.all(
    ids.map(async (id) => {
      await eventually(`counter/${id} answers`, 90_000, async () => {
        const answer = await live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
        if (answer.ok) expect(answer.reply).toEqual({ value: 1 });
        return answer.ok;
      });
      return performance.now() - startedMs;
    }),
  );
}
const slowest = (values: readonly number[]): number => Math.round(Math.max(...values));

test('C5: agents of a killed node process answer elsewhere with their state, and the launcher starts its next incarnation', async () => {
  const ids = await agentsOn('n1', 'killed');
  const from = live.events.length;
  const before = live.pid('n1');
  live.signal('n1', 'SIGKILL');
  report(`SIGKILL of a node: ${ids.length} agents answer elsewhere after at most ${slowest(await answering(ids))} ms`);
  expect((await live.heard('exited', 'n1', from)).signal).toBe('SIGKILL');
  await live.heard('ready', 'n1', from);
  expect(live.pid('n1')).not.toBe(before);
  // Once n1 is there again, some go back to it.
  for (const id of ids) {
    const why = await live.client.insist('agents', { type: 'why', agent: 'counter', id });
    const [spawned, moved] = why.ok ? why.reply.moves : [];
    expect([spawned, moved]).toMatchObject([
      { node: 'n1', cause: 'spawn' },
      { node: expect.stringMatching(/^n[23]$/), cause: 'crash' },
    ]);
  }
});

test('C5, C1, C3: a frozen node loses its agents within its lease, may do nothing when it wakes, exits 75 and is started again', async () => {
  const ids = await agentsOn('n2', 'frozen');
  const from = live.events.length;
  const epochs = new Map((await live.client.list()).map((row) => [row.id, row.epoch]));
  live.signal('n2', 'SIGSTOP');
  // In its inbox while it sleeps: if it may still act when it wakes, these are additions that nobody owns.
  const late = ids.map((id) =>
    live.client.ask(`agent.counter.${id}`, { type: 'add', by: 100 }, { timeoutMs: 1_000, requestId: `late-${id}` }),
  );
  const ms = slowest(await answeringAtLeast(ids, 1));
  report(`SIGSTOP of a node: ${ids.length} agents answer elsewhere after at most ${ms} ms (to reach: ${TTL_MS + 2_000})`);
  const first = await Promise.all(late);
  live.signal('n2', 'SIGCONT');
  expect(await live.heard('exited', 'n2', from)).toMatchObject({ code: 75 });
  await live.heard('ready', 'n2', from);
  for (const [index, id] of ids.entries()) {
    const repeated = await live.client.insist(`agent.counter.${id}`, { type: 'add', by: 100 }, { requestId: `late-${id}` });
    expect(repeated).toEqual({ ok: true, reply: { value: 101 } });
    if (first[index]?.ok === true) expect(first[index]).toEqual(repeated);
    expect(await live.client.insist(`agent.counter.${id}`, { type: 'get' })).toEqual({ ok: true, reply: { value: 101 } });
  }
  for (const row of await live.client.list()) {
    const before = epochs.get(row.id);
    if (ids.includes(row.id) && before !== undefined) expect(row.epoch).toBeGreaterThan(before);
  }
});

async function answeringAtLeast(ids: readonly string[], least: number): Promise<readonly number[]> {
  const startedMs = performance.now();
  return Promise.all(
    ids.map(async (id) => {
      await eventually(`counter/${id} answers`, 90_000, async () => {
        const answer = await live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 500 });
        return answer.ok && answer.reply.value >= least;
      });
      return performance.now() - startedMs;
    }),
  );
}
