import { expect, test } from 'vitest';
import { granted } from './granted.ts';
import { liveCluster, report } from './support.ts';

test('C7: while nodes leave gracefully under load, no request is lost, refused or doubled', async () => {
  await using live = await liveCluster();
  const ids = Array.from({ length: 12 }, (_, index) => `l${index}`);
  for (const id of ids) await granted(() => live.client.ask('spawn', { type: 'counter', id, placement: { strategy: 'rendezvous' } }));
  const acknowledged = new Map(ids.map((id) => [id, 0]));
  const failures: string[] = [];
  let slowestMs = 0;
  let stopped = false;
  const adding = async (id: string): Promise<void> => {
    while (!stopped) {
      const beganMs = performance.now();
      const answer = await live.client.ask(`agent.counter.${id}`, { type: 'add', by: 1 }, { timeoutMs: 10_000 });
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      if (answer.ok) acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1);
      else failures.push(`${id}: ${answer.error.code} ${answer.error.message}`);
    }
  };
  const load = Promise.all([...ids, ...ids].map(adding));
  load.catch(() => undefined);
  for (const node of ['n3', 'n2']) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await live.client.ask(`ctl.${node}`, { type: 'stop' })).toEqual({ ok: true });
    expect(await live.heard('exited', node)).toMatchObject({ code: 0 });
  }
  await new Promise((resolve) => setTimeout(resolve, 700));
  stopped = true;
  await load;
  const total = [...acknowledged.values()].reduce((sum, value) => sum + value, 0);
  report(
    `two of three nodes left under load: ${total} of ${total + failures.length} requests answered, the slowest after ${Math.round(slowestMs)} ms`,
  );
  expect(failures).toEqual([]);
  for (const [id, value] of acknowledged)
    expect(await live.client.ask(`agent.counter.${id}`, { type: 'get' })).toEqual({ ok: true, reply: { value } });
});
