import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KV } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKS, counterProtocol, type HealthCheck } from '../../actors/index.ts';
import { serviceKey } from '../../src/actor/receptionist.ts';
import { type Client, connect } from '../../src/client.ts';
import type { PublicEvent } from '../../src/edge/public-event.ts';
import { NexaError } from '../../src/errors.ts';
import { readMonitor } from '../../src/nats-server/monitor.ts';
import { startNodeWith } from '../../supervisors/node.ts';
import { nexa, temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

const CLIENTS = /^=JGNsaWVudHM\./;

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
let services: KV;
beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ nodes: 2, agents: await blockers(folder.path) });
  services = await live.client.nats.jetstream().views.kv(`nexa_${live.cluster}_SERVICES`, { bindOnly: true });
});
afterAll(async () => {
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

/** An agent that holds up its node's event loop. */
async function blockers(path: string): Promise<string> {
  const agents = join(path, 'agents');
  await mkdir(agents);
  await writeFile(
    join(agents, 'blocker.ts'),
    `import { command, defineAgent } from 'nexa';
import { z } from 'zod';
export const blocker = defineAgent({
  type: 'blocker',
  version: 1,
  commands: { block: command({ ms: z.int() }) },
  storage: 'memory',
  state: z.object({}),
  initial: {},
}).handle({
  block(_context, { ms }) {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  },
});
`,
  );
  return agents;
}

const joining = (more: Partial<Parameters<typeof connect>[0]> = {}): Promise<Client> =>
  connect({ nats: live.urls, cluster: live.cluster, ...more });
/** Why nobody took it in. What is said is what came last: the last try may have had no time left. */
const refusal = (more: Partial<Parameters<typeof connect>[0]>): Promise<NexaError> =>
  eventually('it is refused', 60_000, async () => {
    const refused = await joining({ timeoutMs: 1_000, ...more }).then(
      () => new Error('it was accepted'),
      (error: unknown) => error,
    );
    if (!(refused instanceof NexaError)) throw refused;
    return refused.code !== 'ask-timeout' && refused;
  });
/** What the store has: keys of clients, read through the leader, deleted ones left out. */
const stored = async (): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const key of await services.keys('>')) if (CLIENTS.test(key)) keys.push(key.replace(CLIENTS, ''));
  return keys.sort();
};
const listed = async (): Promise<readonly string[]> => {
  const answer = await live.client.ask('services', { type: 'clients' });
  return answer.ok ? answer.reply.clients.map(({ client }: { readonly client: string }) => client) : [];
};
interface Connections {
  readonly connections: readonly { readonly name?: string; readonly subscriptions_list?: readonly string[] }[];
}
/** What the server knows of connections by this name. */
const connections = async (name: string) => {
  const found: Connections['connections'][number][] = [];
  for (const { monitorPort } of live.servers.servers) {
    const page = (await readMonitor('/connz?subs=1&limit=1000', { port: monitorPort }, 2_000)) as Connections;
    found.push(...page.connections.filter((each) => each.name === name));
  }
  return found;
};

describe('S0-035: a connection that is refused hears why, by type, and nothing was made of it', () => {
  test('a version, a name or an id that nobody knows', async () => {
    for (const [code, body] of [
      ['unknown-version', { type: 'connect', version: 99 }],
      ['bad-id', { type: 'connect', version: 1, name: 'no name' }],
      ['bad-id', { type: 'connect', version: 1, client: '*' }],
      ['invalid-message', { type: 'connect', version: 1, wants: { heartbeatMs: -1 } }],
    ] as const)
      expect(await live.client.ask('connect', body)).toMatchObject({ ok: false, error: { code, definite: true } });
    await expect(joining({ name: 'no name' })).rejects.toMatchObject({ code: 'bad-id' });
    expect(await stored()).toEqual([]);
  });

  test('a cluster whose nodes are all cordoned, or that is not there', async () => {
    for (const node of live.nodes) expect(await live.client.ask(`ctl.${node}`, { type: 'cordon' })).toMatchObject({ ok: true });
    expect(await refusal({})).toMatchObject({ code: 'unavailable', definite: true, where: { cluster: live.cluster } });
    for (const node of live.nodes) expect(await live.client.ask(`ctl.${node}`, { type: 'uncordon' })).toMatchObject({ ok: true });
    expect(await refusal({ cluster: 'nobody-here' })).toMatchObject({
      code: 'unavailable',
      fix: expect.stringContaining('name of the cluster'),
    });
    expect(await stored()).toEqual([]);
    await eventually('the server has forgotten them', 20_000, async () => (await connections('nexa client')).length === 0);
  });
});

test('S0-036: who was accepted is in the store at that instant, and soon on every node', async () => {
  for (let time = 0; time < 10; time++) {
    const client = await joining({ name: `shell-${time}` });
    // One that has left may have to be missed first, if nobody heard it say so in time.
    expect(await stored()).toContain(client.id);
    await eventually('it is listed', 20_000, async () => (await listed()).includes(client.id ?? ''));
    await client[Symbol.asyncDispose]();
  }
  await using _client = await joining({ name: 'seen' });
  await eventually('every node lists it', 30_000, async () => {
    const { stdout } = await nexa('clients', '--nats', live.urls.join(','), '--cluster', live.cluster);
    return /^seen +\S+ +n[12] +20\S+Z +5000ms$/m.test(stdout);
  });
});

test('S0-037: what happens on a node reaches its monitor, turns its health, and is seen in the status that is asked for', async () => {
  await using client = await joining();
  const alerts: PublicEvent[] = [];
  client.cluster.events({ kinds: ['alert'] }, (event) => {
    if (event.node === 'n1' && event.name === 'loop-lag') alerts.push(event);
  });
  expect(await live.client.insist('spawn', { type: 'blocker', id: 'b', placement: { node: 'n1' } })).toMatchObject({ ok: true });
  const health = async () => {
    // Who is held up may be late.
    const status = (await client.cluster.status('n1').catch(() => undefined)) as
      | {
          readonly lagMs: number | null;
          readonly health: { readonly level: string; readonly checks: readonly { readonly name: string; readonly level: string }[] } | null;
        }
      | undefined;
    return { lagMs: status?.lagMs ?? 0, lag: status?.health?.checks.find(({ name }) => name === 'loop-lag')?.level };
  };
  await eventually('n1 is well', 90_000, async () => (await health()).lag === 'ok');
  let blocking = true;
  const block = (async () => {
    while (blocking) await client.askRaw('blocker', 'b', { type: 'block', ms: 400 }, { timeoutMs: 60_000 });
  })();
  await eventually('its health has turned, by what is measured', 60_000, async () => {
    const { lag, lagMs } = await health();
    return (lag === 'warn' || lag === 'critical') && lagMs >= 100;
  });
  blocking = false;
  await block;
  await eventually('it is well again', 90_000, async () => (await health()).lag === 'ok');
  const raised = (): readonly PublicEvent[] => alerts.slice(alerts.findIndex(({ before }) => before === 'ok'));
  await eventually(
    'the alert was raised and resolved',
    90_000,
    () => alerts.some(({ before }) => before === 'ok') && alerts.at(-1)?.level === 'ok',
  );
  const [first, ...more] = raised();
  expect(first).toMatchObject({ event: 'alert', level: expect.stringMatching(/^(warn|critical)$/), before: 'ok', unit: 'ms' });
  // Each change is told once: it begins where the one before ended. A machine that is busy otherwise may make more of them.
  for (const [index, alert] of more.entries()) {
    expect(alert.before).toBe(raised()[index]?.level);
    expect(alert.level).not.toBe(alert.before);
  }
});

describe('S0-038: what has left, leaves nothing', () => {
  test('closing takes it off the list, out of the store and off the server, with every subscription', async () => {
    const client = await joining({ name: 'leaver' });
    const counters = serviceKey<never>('counters');
    expect(await live.client.insist('spawn', { type: 'counter', id: 'c' })).toMatchObject({ ok: true });
    await client.receptionist.register(counters, client.agent(counterProtocol, 'c') as never);
    let seen = 0;
    client.receptionist.subscribe(counters, ({ length }) => {
      seen = length;
    });
    client.cluster.events({}, () => undefined);
    await eventually('it sees what it registered', 20_000, () => seen === 1);
    await eventually('the server has its subscriptions', 20_000, async () => {
      const [before, ...others] = await connections('nexa client');
      return others.length === 0 && (before?.subscriptions_list?.length ?? 0) >= 2;
    });
    const started = performance.now();
    await client[Symbol.asyncDispose]();
    report(`closing took ${(performance.now() - started).toFixed(0)} ms`);
    // At once, unless nobody had the time to hear it: then it is missed.
    await eventually('the store has nothing of it', 30_000, async () => (await stored()).length === 0);
    await eventually('the server has forgotten it', 20_000, async () => (await connections('nexa client')).length === 0);
    await eventually('no node lists it', 30_000, async () => (await listed()).length === 0);
    await expect(client.askRaw('counter', 'c', { type: 'get' }, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'disconnected' });
  });

  test('one that vanishes is taken off after three missed heartbeats', async () => {
    const accepted = await live.client.ask('connect', { type: 'connect', version: 1, client: 'ghost', wants: { heartbeatMs: 2_000 } });
    expect(accepted).toMatchObject({ ok: true, reply: { client: 'ghost', heartbeatMs: 2_000, cluster: live.cluster } });
    expect(await stored()).toEqual(['ghost']);
    const started = performance.now();
    await eventually('nobody lists it', 30_000, async () => (await listed()).length === 0);
    await eventually('the store has nothing of it', 30_000, async () => (await stored()).length === 0);
    report(`a client that vanished was gone from the store after ${(performance.now() - started).toFixed(0)} ms`);
    expect(await live.client.ask('connect', { type: 'beat', client: 'ghost' })).toMatchObject({
      ok: false,
      error: { code: 'no-such-actor' },
    });
  });
});

test('a client comes back by itself after the server was lost: its refs work, and it is listed as before', async () => {
  await using client = await joining({ heartbeatMs: 1_000 });
  expect(await live.client.insist('spawn', { type: 'counter', id: 'survivor' })).toMatchObject({ ok: true });
  const survivor = client.agent(counterProtocol, 'survivor');
  expect(await survivor.ask({ type: 'add', by: 1 }, { timeoutMs: 5_000 })).toEqual({ value: 1 });
  const [server] = live.servers.servers;
  await server?.kill();
  await server?.start();
  const value = await eventually('its ref works', 60_000, () => survivor.ask({ type: 'get' }, { timeoutMs: 1_000 }).catch(() => undefined));
  expect(value).toEqual({ value: 1 });
  // Longer than three heartbeats: what is listed now says that it is there.
  const stopMs = performance.now() + 5_000;
  await eventually('it is listed', 20_000, async () => performance.now() > stopMs && (await listed()).includes(client.id ?? ''), 500);
  // As if it had been taken for lost meanwhile: it lists itself again.
  expect(await live.client.insist('connect', { type: 'close', client: client.id ?? '' })).toMatchObject({ ok: true });
  await eventually('it is listed again', 20_000, async () => (await stored()).includes(client.id ?? ''), 100);
});

test('S0-039: the loop that looks survives its own crash: it is restarted, and goes on', async () => {
  let bug = false;
  const planted: HealthCheck = {
    ...{ name: 'planted', unit: 'count', warn: 1, critical: 2 },
    value: () => {
      if (bug) throw new Error('a bug in a check');
      return 0;
    },
  };
  await using node = await startNodeWith({ nats: live.urls, cluster: live.cluster, name: 'looked-at' }, { checks: [...CHECKS, planted] });
  await using client = await joining();
  const health = async () =>
    ((await client.cluster.status('looked-at')) as { readonly health: { readonly level: string; readonly checkedAtMs: number } | null })
      .health;
  const restarted: string[] = [];
  node.system.events.subscribe((event) => {
    if (event.event === 'restarted' && event.address.kind === 'incarnation') restarted.push(event.address.path);
  });
  const before = await eventually('it looks', 20_000, async () => {
    const now = await health();
    return now?.checkedAtMs !== null && now;
  });
  bug = true;
  await eventually('it has crashed twice', 20_000, () => restarted.filter((path) => path === 'system/health/checks').length >= 2);
  expect(await client.cluster.status('looked-at')).toMatchObject({ state: 'running' });
  bug = false;
  await eventually('it looks again', 30_000, async () => {
    const now = await health();
    return now !== null && now.level !== 'unknown' && now.checkedAtMs > before.checkedAtMs + 2_000;
  });
  expect(restarted).not.toContain('system/health');
});
