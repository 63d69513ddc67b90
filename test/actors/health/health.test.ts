import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHECKS, type HealthCheck } from '../../../actors/index.ts';
import type { RuntimeEvent } from '../../../src/actor/events.ts';
import type { ActorRef } from '../../../src/actor/ref.ts';
import { LogRing } from '../../../src/edge/log-ring.ts';
import { childRef } from '../../../supervisors/supervise.ts';
import { type NodeRefs, nodeTree, superviseNode } from '../../../supervisors/trees/node-tree.ts';
import { quietControls, quietLoad, quietReadiness } from '../load.ts';
import { membersWorld } from '../members.ts';

type Alert = Extract<RuntimeEvent, { readonly event: 'alert' }>;

let cluster: Awaited<ReturnType<typeof membersWorld>>;
let refs: NodeRefs;
let lagMs: number;
let broken: boolean;
let measuring: boolean;
const alerts: Alert[] = [];
const restarts: string[] = [];
const run = (ms: number): Promise<void> => cluster.world.run(ms);
const state = () => cluster.world.until(refs.health.ask({ type: 'health' }, { timeoutMs: 1_000 }));
const told = () => alerts.map(({ name, level, before }) => [name, before, level]);

/** Breaks the loop that looks, as a bug in a check would. */
const planted: HealthCheck = {
  ...{ name: 'planted', unit: 'count', warn: 1, critical: 2 },
  value: () => {
    if (broken) throw new Error('a bug in a check');
    return 0;
  },
};

beforeEach(async () => {
  cluster = await membersWorld({ n1: [] });
  [lagMs, broken, measuring] = [2, false, true];
  alerts.length = 0;
  restarts.length = 0;
  const member = cluster.member('n1');
  member.system.events.subscribe((event) => {
    if (event.event === 'alert') alerts.push(event);
    if (event.event === 'restarted' && event.address.kind === 'incarnation') restarts.push(event.address.path);
  });
  refs = superviseNode(member, {
    definitions: [],
    load: {
      ...quietLoad,
      cpu: () => {
        if (!measuring) throw new Error('the sampler broke');
        return 0;
      },
      lag: () => ({ p50Ms: 1, p99Ms: lagMs, maxMs: lagMs }),
    },
    facts: () => ({
      ...{ state: 'running', cluster: 'sim', natsServers: [], server: 'memory', durability: 'memory', verified: true },
      ...{ replicas: 1, uptimeMs: 5 },
      ...quietReadiness,
    }),
    logs: new LogRing(cluster.world.clock),
    checks: [...CHECKS, planted],
    leave: () => undefined,
    ...quietControls,
  });
});
afterEach(() => cluster.close());

test('a node that is well says so, check by check; before the first look nothing is known', async () => {
  expect(await state()).toMatchObject({ level: 'unknown', checkedAtMs: null });
  await run(3_000);
  const { level, checks } = await state();
  expect(level).toBe('ok');
  expect(checks.find(({ name }) => name === 'loop-lag')).toMatchObject({ level: 'ok', value: 2, warn: 100, critical: 1_000, unit: 'ms' });
  expect(checks.find(({ name }) => name === 'memory')).toMatchObject({ level: 'ok', value: 0.25 });
  expect(told()).toEqual([]);
});

test('what gets worse is an alert once, in the event, the status and its log, and is resolved once', async () => {
  await run(3_000);
  lagMs = 150;
  await run(10_000);
  expect(alerts).toMatchObject([{ name: 'loop-lag', level: 'warn', value: 150, threshold: 100, unit: 'ms', sinceMs: expect.any(Number) }]);
  const status = await cluster.world.until(refs.node.ask({ type: 'status' }, { timeoutMs: 1_000 }));
  expect(status.health).toMatchObject({ level: 'warn' });
  lagMs = 2_000;
  await run(10_000);
  lagMs = 2;
  await run(10_000);
  expect(told()).toEqual([
    ['loop-lag', 'ok', 'warn'],
    ['loop-lag', 'warn', 'critical'],
    ['loop-lag', 'critical', 'ok'],
  ]);
  expect(await state()).toMatchObject({ level: 'ok' });
});

test('the loop survives its own crash: it is restarted and goes on, and what was raised is not raised again', async () => {
  await run(3_000);
  lagMs = 150;
  await run(5_000);
  broken = true;
  await run(8_000);
  expect(restarts.filter((path) => path === 'system/health/checks').length).toBeGreaterThan(1);
  expect(restarts).not.toContain('system/health');
  expect(await state()).toMatchObject({ level: 'unknown' });
  broken = false;
  await run(15_000);
  expect(await state()).toMatchObject({ level: 'warn' });
  lagMs = 2;
  await run(10_000);
  expect(told()).toEqual([
    ['loop-lag', 'ok', 'warn'],
    ['loop-lag', 'warn', 'ok'],
  ]);
});

test('while the monitor is down nothing is known, and nothing is resolved by that', async () => {
  await run(3_000);
  lagMs = 150;
  await run(5_000);
  measuring = false;
  await run(15_000);
  expect(await state()).toMatchObject({ level: 'unknown' });
  measuring = true;
  await run(15_000);
  expect(await state()).toMatchObject({ level: 'warn' });
  expect(told()).toEqual([['loop-lag', 'ok', 'warn']]);
});

test('what is no message of its own is refused, and a finding of no check is nothing', async () => {
  const { system } = cluster.member('n1');
  const ref = childRef(system, nodeTree, 'health') as ActorRef<never>;
  const asked = ref as unknown as { ask(message: object, options: object): Promise<unknown> };
  await expect(cluster.world.until(asked.ask({ type: 'x' }, { timeoutMs: 1_000 }))).rejects.toMatchObject({ code: 'unknown-command' });
  refs.health.tell({ type: 'found', findings: [{ name: 'none', value: 1e9 }] });
  await run(1_000);
  expect(told()).toEqual([]);
});
