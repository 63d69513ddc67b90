import { expect, test } from 'vitest';
import { startServers } from '../support/nats.ts';

for (const count of [1, 3] as const) {
  test(`${count} server(s) start, keep state and stop`, async () => {
    const t = performance.now();
    const servers = await startServers({ count });
    console.log(`${count} server(s): ready after ${Math.round(performance.now() - t)} ms`);
    expect(servers.urls).toHaveLength(count);
    const u = performance.now();
    await servers.stop();
    console.log(`stopped after ${Math.round(performance.now() - u)} ms`);
    expect(servers.servers.map(({ state }) => state)).toEqual(Array(count).fill('stopped'));
  });
}
