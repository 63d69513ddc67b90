import { expect, test } from 'vitest';
import { Adders, HEAL_MS } from './adders.ts';
import { eventually, liveCluster, report } from './support.ts';

test('C4: what was acknowledged under class quorum is there after each server in turn was killed, and after all of them at once', async () => {
  await using live = await liveCluster({ servers: 3 });
  const ids = ['c0', 'c1', 'c2', 'c3'];
  for (const id of ids) expect(await live.client.insist('spawn', { type: 'counter', id })).toMatchObject({ ok: true });
  const adders = new Adders(live.client, ids);
  for (const server of live.servers.servers) {
    const before = adders.total;
    await server.kill();
    await eventually('additions are acknowledged without it', HEAL_MS, () => adders.total > before + 50);
    await server.start();
    await live.servers.ready(HEAL_MS);
  }
  await Promise.all(live.servers.servers.map((server) => server.kill()));
  await Promise.all(live.servers.servers.map((server) => server.start()));
  await live.servers.ready(HEAL_MS);
  const before = adders.total;
  await eventually('additions are acknowledged again', HEAL_MS, () => adders.total > before + 50);
  await adders.stop();
  expect(adders.violations).toEqual([]);
  report(`${adders.total} additions acknowledged through four kills of nats-servers`);
  for (const id of ids)
    expect(await live.client.insist(`agent.counter.${id}`, { type: 'get' })).toEqual({
      ok: true,
      reply: { value: adders.acknowledged.get(id) },
    });
});

test('C4: the class is shown, and whether somebody could look', async () => {
  await using live = await liveCluster();
  expect(await live.client.ask('ctl.n1', { type: 'status' })).toMatchObject({
    ok: true,
    reply: { durability: 'quorum', verified: true, replicas: 1 },
  });
});
