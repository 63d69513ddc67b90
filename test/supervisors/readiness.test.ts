import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import type { Check, Finding, SelfTest } from '../../src/ports/check.ts';
import { peersCheck } from '../../supervisors/peers-check.ts';
import { readiness } from '../../supervisors/readiness.ts';
import { selfTest } from '../../supervisors/self-test.ts';
import { membersWorld } from '../actors/members.ts';

let cluster: Awaited<ReturnType<typeof membersWorld>>;
let stops: (() => void)[];
beforeEach(async () => {
  cluster = await membersWorld({ n1: [], n2: [] });
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) stop();
  await cluster.close();
});

const tested = (checks: SelfTest['checks'] = []): SelfTest => ({ verdict: 'ok', tookMs: 5, checks });
function follow(
  options: { readonly tested?: SelfTest; readonly checks?: readonly Check[]; readonly missingStores?: () => readonly string[] } = {},
) {
  const { world, member } = cluster;
  const { transport } = world.network.connect('n1');
  const { clock } = world;
  const parts = { control: transport, data: transport, missingStores: () => [], tested: tested(), checks: [], clock, log: silentLogger };
  const following = readiness({ cluster: member('n1').cluster, ...parts, ...options });
  stops.push(following.stop);
  return following;
}
const peers = { check: 'peers', required: false, verdict: 'ok', message: '', tookMs: 1 } as const;

test('a node is ready once its self-test is through, and not before', async () => {
  const following = follow();
  expect(following.now()).toMatchObject({
    ready: false,
    subsystems: { 'self-test': 'waiting', lease: 'ok', copies: 'ok', recovery: 'ok' },
  });
  following.add(peers);
  expect(following.now()).toMatchObject({ ready: true, degraded: [] });
});

test('without the store it is not ready, and it is again when the store is back', async () => {
  const following = follow();
  following.add(peers);
  cluster.world.network.faults.isolate('n1');
  await cluster.world.run(5_000);
  expect(following.now()).toMatchObject({ ready: false, subsystems: { transport: 'failed', store: 'failed', lease: 'failed' } });
  cluster.world.network.faults.heal();
  await cluster.world.run(5_000);
  expect(following.now()).toMatchObject({ ready: true, subsystems: { transport: 'ok', store: 'ok', lease: 'ok' } });
});

test('a service that is looked at every so often degrades the node while it is down, and the others know', async () => {
  let up = false;
  const down: Finding = { verdict: 'failed', message: 'down', fix: 'Start it.' };
  const db: Check = {
    name: 'service:db',
    required: false,
    timeoutMs: 100,
    everyMs: 30_000,
    run: async () => (up ? { verdict: 'ok', message: 'answers' } : down),
  };
  const first = await selfTest([db], { clock: cluster.world.clock });
  const following = follow({ tested: first, checks: [db] });
  following.add(peers);
  await cluster.world.run(2_000);
  expect(following.now()).toMatchObject({ ready: true, degraded: ['service:db'], subsystems: { 'self-test': 'degraded' } });
  expect(cluster.member('n2').cluster.peers.of('n1')).toMatchObject({ ready: true, degraded: true });
  up = true;
  await cluster.world.run(32_000);
  expect(following.now()).toMatchObject({ ready: true, degraded: [], selfTest: { verdict: 'ok' } });
  expect(cluster.member('n2').cluster.peers.of('n1')).toMatchObject({ degraded: false });
});

test('what was set to be looked at again is given up when the node stops', async () => {
  const following = follow({
    checks: [{ name: 'a', required: false, timeoutMs: 1, everyMs: 30_000, run: () => Promise.reject(new Error('run')) }],
  });
  const before = cluster.world.clock.pending;
  following.stop();
  expect(before - cluster.world.clock.pending).toBe(2);
});

test('a member that does not answer a ping is named', async () => {
  const { world, member } = cluster;
  const check = () => world.until(selfTest([peersCheck(member('n1'))], { clock: world.clock }));
  expect((await check()).checks[0]).toMatchObject({ verdict: 'ok', message: '1 of 1 pinged, all answer' });
  world.network.faults.cut('n2', 'n1');
  expect((await check()).checks[0]).toMatchObject({
    verdict: 'warning',
    required: false,
    message: 'no answer from n2',
    fix: expect.any(String),
  });
});

test('a store that was found missing degrades the node and is named with what to do, until it is there again', () => {
  let missing: readonly string[] = ['KV_nexa_c_AGENTS'];
  const following = follow({ missingStores: () => missing });
  following.add(peers);
  expect(following.now()).toMatchObject({ ready: true, degraded: ['stores'], subsystems: { store: 'degraded', 'self-test': 'degraded' } });
  expect(following.now().selfTest.checks.at(-1)).toMatchObject({
    message: 'missing: KV_nexa_c_AGENTS',
    fix: expect.stringContaining('nexa doctor --repair'),
  });
  missing = [];
  expect(following.now()).toMatchObject({ ready: true, degraded: [], subsystems: { store: 'ok' } });
});
