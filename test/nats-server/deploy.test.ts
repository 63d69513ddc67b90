import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { INSTALL_HELP } from '../../src/nats-server/install-help.ts';
import { run } from '../../src/programs/run.ts';
import { natsServerBinary } from '../support/nats.ts';

const composeText = () => readFile('docker-compose.yml', 'utf8');

test.each(['always', '120s'])('the real server accepts the configuration of deploy/ with sync_interval %s', async (interval) => {
  const routes = /NATS_ROUTES: "(.*)"/.exec(await composeText())?.[1];
  const env = { NATS_NAME: 'nats-1', NATS_ROUTES: routes, NATS_SYNC_INTERVAL: interval };
  const { code, stderr } = await run(natsServerBinary().path, ['-t', '-c', 'deploy/nats/server.conf'], { timeoutMs: 10_000, env });
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

test('the services and addresses that the help names are those of docker-compose.yml', async () => {
  const text = await composeText();
  const [, services] = /docker compose up -d (.*)/.exec(INSTALL_HELP) ?? [];
  for (const service of services?.split(' ') ?? ['none']) expect(text).toMatch(new RegExp(`^  ${service}:$`, 'm'));
  const [, urls] = /NEXA_NATS_URL=(nats:\/\/127\.0\.0\.1:4222,.*)/.exec(INSTALL_HELP) ?? [];
  expect(text).toContain(urls);
});
