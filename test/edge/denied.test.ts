import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/client.ts';
import { startServers, type TestServers } from '../support/nats.ts';

let servers: TestServers;
beforeAll(async () => {
  const guest = { user: 'guest', password: 'guest', permissions: { publish: { deny: ['nexa.*.v1.ctl.*.launcher'] } } };
  servers = await startServers({ settings: { authorization: { users: [guest] }, no_auth_user: 'guest' } });
});
afterAll(() => servers?.stop());

test('a request that the server does not let through is denied at once, and others of the same client are not', async () => {
  await using client = await connect({ nats: servers.urls, listed: false });
  await expect(client.cluster.killNode('n1')).rejects.toMatchObject({
    code: 'denied',
    definite: true,
    where: { subject: 'nexa.nexa.v1.ctl.n1.launcher' },
  });
  await expect(client.cluster.nodes()).rejects.toMatchObject({ code: 'unavailable' });
});
