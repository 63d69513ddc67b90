import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import { nexa, type Program, program, temporary } from '../live/program.ts';
import { send } from '../live/support.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

let servers: TestServers;
let link: NatsLink;
let folder: Awaited<ReturnType<typeof temporary>>;
let clusters = 0;
let cluster: string;
const started: Program[] = [];
beforeAll(async () => {
  servers = await startServers();
  link = await connectNats({
    servers: servers.urls,
    name: 'surgeon',
    role: 'control',
    clock: realClock,
    random: realRandom,
    log: recordingLogger(),
  });
});
afterAll(async () => {
  await link?.close();
  await servers?.stop();
});
beforeEach(async () => {
  folder = await temporary();
  cluster = `doctor-${process.pid}-${++clusters}`;
});
afterEach(async () => {
  for (const running of started.splice(0)) {
    send(running.pid, 'SIGTERM');
    await running.ended;
  }
  await folder[Symbol.asyncDispose]();
});

const there = (): readonly string[] => ['--nats', servers.urls.join(','), '--cluster', cluster];
const doctor = async (...more: string[]) => {
  const { exit, stdout, stderr } = await nexa('doctor', ...there(), ...more, '-o', 'json');
  const said = JSON.parse(stdout) as {
    ok: boolean;
    missing: string[];
    checks: { check: string; verdict: string; message: string; fix?: string }[];
  };
  return { exit, stderr, ...said, by: Object.fromEntries((said.checks ?? []).map((result) => [result.check, result])) };
};
function node(name: string, ...more: string[]): Program {
  const running = program(['node', '--name', name, ...there(), ...more]);
  started.push(running);
  return running;
}
const config = async (services: object[]): Promise<string> => {
  const file = join(folder.path, 'nexa.config.json');
  await writeFile(file, JSON.stringify({ services }));
  return file;
};

test('a cluster that runs is well; one that was never formed is said to be so', async () => {
  const never = await doctor();
  expect([never.exit, never.by.stores?.verdict, never.by.members?.verdict]).toEqual([0, 'warning', 'warning']);
  await node('n1').says(/n1 is up/);
  // It may not have looked for agents yet; and what the doctor says of timers, loops and disks is of the machine, as it is just now.
  await vi.waitFor(
    async () => {
      const { exit, by } = await doctor();
      expect(Object.values(by).filter(({ verdict }) => verdict === 'failed' || verdict === 'warning')).toEqual([]);
      expect(exit).toBe(0);
    },
    { timeout: 60_000, interval: 500 },
  );
});

test('a missing store is named, and created empty only when that is asked for', async () => {
  const first = node('n1');
  await first.says(/n1 is up/);
  send(first.pid, 'SIGTERM');
  expect(await first.ended).toBe(0);
  const deleted = await link.jetStream.api(`STREAM.DELETE.KV_nexa_${cluster}_STATE`, undefined, 5_000);
  expect(deleted.ok).toBe(true);

  const refused = node('n1');
  expect(await refused.ended).toBe(1);
  expect(refused.stderr).toMatch(/error store-misconfigured: STATE is missing/);
  const found = await doctor();
  expect([found.exit, found.ok, found.missing]).toEqual([1, false, ['STATE']]);
  expect(found.by.stores).toMatchObject({ verdict: 'failed', message: 'STATE is missing', fix: expect.stringContaining('--repair') });

  const unasked = await nexa('doctor', ...there(), '--repair');
  expect([unasked.exit, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  const repaired = await doctor('--repair', '--yes');
  expect([repaired.exit, repaired.missing, repaired.by.stores?.verdict]).toEqual([0, [], 'ok']);
  await node('n1').says(/n1 is up/);
});

test('without servers it says so, and looks at what is here', async () => {
  const { exit, stdout } = await nexa('doctor', '--nats', '127.0.0.1:1', '-o', 'json');
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    checks: expect.arrayContaining([expect.objectContaining({ check: 'nats', verdict: 'failed' })]),
  });
});

test('a required service that is down ends the start with its exit code and its fix', async () => {
  const file = await config([{ name: 'db', kind: 'tcp', host: '127.0.0.1', port: 1, required: true }]);
  const running = node('n1', '--config', file);
  expect(await running.ended).toBe(4);
  expect(running.stderr).toMatch(/failed {3}service:db: .*ECONNREFUSED/);
  expect(running.stderr.trimEnd().split('\n').at(-1)).toMatch(/^error unavailable: .*127\.0\.0\.1:1 .*service:db.* — Start it/);
});

test('an optional service that is down leaves the node degraded, and everybody can see it', async () => {
  const file = await config([{ name: 'db', kind: 'tcp', host: '127.0.0.1', port: 1 }]);
  await node('n1', '--config', file).says(/n1 is up/);
  const status = await nexa('status', 'n1', ...there(), '-o', 'json');
  expect(JSON.parse(status.stdout)).toMatchObject({ degraded: ['service:db'], subsystems: { 'self-test': 'degraded' } });
  // Everybody else hears of it with a beat.
  await vi.waitFor(
    async () => {
      const nodes = await nexa('nodes', ...there(), '-o', 'json');
      expect(JSON.parse(nodes.stdout)).toMatchObject([{ node: 'n1', degraded: true }]);
      expect((await doctor()).by.readiness).toMatchObject({
        verdict: 'warning',
        message: expect.stringContaining('n1 is degraded: service:db'),
      });
    },
    { timeout: 60_000, interval: 500 },
  );
});
