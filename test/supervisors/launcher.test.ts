import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeMember, encodeMember } from '../../src/cluster/member.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { type Bare, bare } from '../live/bare.ts';
import { linesOf, moodyAgents, type Program, program, temporary } from '../live/program.ts';
import { alive, eventually, processesOf, report, send } from '../live/support.ts';
import { startServers, type TestServers } from '../support/nats.ts';

const CLUSTER = `launcher-${process.pid}`;

let servers: TestServers;
let client: Bare;
let staying: Program;
const started: Program[] = [];
beforeAll(async () => {
  servers = await startServers();
  client = await bare(servers.urls, CLUSTER, 'test');
  [staying] = await node('stays');
});
afterEach(async () => {
  for (const each of started.splice(0)) if (each !== staying) send(each.pid, 'SIGKILL');
});
afterAll(async () => {
  for (const pid of processesOf(CLUSTER)) send(pid, 'SIGKILL');
  await client?.close();
  await servers?.stop();
});

/** `nexa node`, and the pid of the worker it launched. */
async function node(name: string, ...flags: readonly string[]): Promise<readonly [Program, number]> {
  const launcher = program(['node', '--name', name, '--cluster', CLUSTER, '--nats', servers.urls.join(','), ...flags]);
  started.push(launcher);
  const [, pid] = await launcher.says(new RegExp(`node ${name} is up in cluster ${CLUSTER} \\(pid (\\d+)\\)`));
  return [launcher, Number(pid)];
}
/** Counters on that node, with one acknowledged addition each. */
async function agentsOn(name: string): Promise<readonly string[]> {
  const ids = [0, 1, 2, 3].map((index) => `${name}-${index}`);
  for (const id of ids) {
    await eventually(`${id} is spawned on ${name}`, 20_000, async () => {
      const answer = await client.ask('spawn', { type: 'counter', id, placement: { node: name } });
      return answer.ok && answer.agent?.node === name;
    });
    // Asked again under one request id it counts once.
    const added = await eventually(`${id} counts`, 20_000, async () => {
      const answer = await client.ask(`agent.counter.${id}`, { type: 'add', by: 1 }, { requestId: `add-${id}` });
      return answer.ok && answer;
    });
    expect(added.reply).toEqual({ value: 1 });
  }
  return ids;
}
async function answering(ids: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  for (const id of ids) {
    const answer = await eventually(`${id} answers`, 40_000, async () => {
      const read = await client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
      return read.ok && read;
    });
    expect(answer.reply).toEqual({ value: 1 });
  }
  return Math.round(performance.now() - startedMs);
}
const gone = (pids: readonly number[], withinMs = 20_000): Promise<true> =>
  eventually(`processes ${pids} end`, withinMs, () => pids.every((pid) => !alive(pid))) as Promise<true>;
/** As whoever answers has heard of it, which may be a moment after it was so. */
const rowOf = async (name: string) => {
  const answer = await client.ask('ctl', { type: 'nodes' }, { timeoutMs: 500 });
  return answer.ok && (answer.reply.nodes.find((each: { readonly node: string }) => each.node === name) as Row | undefined);
};
interface Row {
  readonly node: string;
  readonly state: string;
  readonly incarnation: number;
  readonly pid: number | null;
}
const runs = async (name: string) => {
  const row = await rowOf(name);
  return row !== false && row?.state === 'running' && row;
};
const isGone = (name: string) =>
  eventually(`${name} is gone`, 20_000, async () => {
    const row = await rowOf(name);
    return row !== false && row?.state === 'gone';
  });

test('C7: SIGTERM makes a node give its agents away and end with 0, and nothing of it is left', async () => {
  const [launcher, worker] = await node('leaves');
  const ids = await agentsOn('leaves');
  const beganMs = performance.now();
  send(launcher.pid, 'SIGTERM');
  const ms = await answering(ids);
  expect(await launcher.ended).toBe(0);
  report(
    `SIGTERM of a node: its agents answer elsewhere after ${ms} ms, its process ended after ${Math.round(performance.now() - beganMs)} ms`,
  );
  // Not a word after that it is up.
  expect(linesOf(launcher.stderr).at(-1)).toMatch(/ is up /);
  await gone([worker]);
  await isGone('leaves');
});

test('C7: a service manager that signals the launcher and its worker at once still gets a graceful stop', async () => {
  const [launcher, worker] = await node('managed');
  const ids = await agentsOn('managed');
  send(worker, 'SIGTERM');
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(0);
  // Not a word after that it is up.
  expect(linesOf(launcher.stderr).at(-1)).toMatch(/ is up /);
  await answering(ids);
  await gone([worker]);
});

const SIGTERM = 15;
const waitsFor = (pid: number, signal: number): boolean => {
  const pending = /ShdPnd:\s+([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${pending}`) >> BigInt(signal - 1)) & 1n) === 1n;
};

test('C7: a second signal ends a node now, whatever it waits for', async () => {
  const [launcher, worker] = await node('hangs');
  send(worker, 'SIGSTOP');
  await eventually('it sleeps', 10_000, () => /\) T /.test(readFileSync(`/proc/${worker}/stat`, 'utf8')));
  send(launcher.pid, 'SIGTERM');
  // Two signals that wait for one process are one.
  await eventually('the first is taken', 10_000, () => !waitsFor(launcher.pid, SIGTERM));
  // It cannot leave: its process sleeps.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(alive(launcher.pid) && alive(worker)).toBe(true);
  const beganMs = performance.now();
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(1);
  report(`a second SIGTERM: ended after ${Math.round(performance.now() - beganMs)} ms`);
  await gone([worker]);
});

test('a node whose launcher is killed leaves gracefully by itself, and its agents answer elsewhere', async () => {
  const [launcher, worker] = await node('orphan');
  const ids = await agentsOn('orphan');
  send(launcher.pid, 'SIGKILL');
  report(`SIGKILL of a launcher: the agents of its node answer elsewhere after ${await answering(ids)} ms`);
  await gone([worker, launcher.pid], 45_000);
});

test('a node that was killed is started again as the next incarnation of the same name', async () => {
  const [launcher, worker] = await node('again');
  const incarnation = () => runs('again');
  const first = await eventually('it runs', 10_000, incarnation);
  send(worker, 'SIGKILL');
  const second = await eventually('its next incarnation runs', 20_000, async () => {
    const row = await incarnation();
    return row !== false && row.incarnation > first.incarnation && row.pid !== null && row;
  });
  expect(second.pid).not.toBe(worker);
  expect(alive(launcher.pid)).toBe(true);
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(0);
  await gone([Number(second.pid)]);
});

/** Agents that take a while to load: this module comes first. */
async function slowAgents(folder: string, module: string): Promise<string> {
  const agents = await moodyAgents(folder);
  await writeFile(join(agents, 'slow.ts'), module);
  return agents;
}

test('a node whose agents take longer to load than a lease lasts comes up, as the incarnation that joined', async () => {
  await using folder = await temporary();
  const [launcher] = await node(
    'slow',
    '--agents',
    await slowAgents(folder.path, 'await new Promise((loaded) => setTimeout(loaded, 9_000));'),
  );
  expect(launcher.stderr).not.toContain('starting its next incarnation');
  expect(staying.stderr).not.toMatch(/"node":"slow".*declared gone/);
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(0);
});

test('C1: a node that was declared gone while it was starting ends at once, and its next incarnation comes up', async () => {
  await using folder = await temporary();
  const now = join(folder.path, 'now');
  // Until it is told to, it does not come up: it is judged while it starts.
  const waits = `import { existsSync } from 'node:fs';
    while (!existsSync(${JSON.stringify(now)})) await new Promise((look) => setTimeout(look, 20));`;
  const coming = node('judged', '--agents', await slowAgents(folder.path, waits));
  const launcher = started.at(-1) as Program;
  const members = await client.nats.jetstream().views.kv(subjects(CLUSTER).store('MEMBERS'));
  const codec = createCodec();
  await eventually('it is declared gone while it starts', 60_000, async () => {
    const judged = await members.get('judged');
    if (judged === null) return false;
    const record = decodeMember(judged.value, codec, 'judged');
    expect(record.state).toBe('joining');
    // Its launcher renews it: between the look and the judgement, too.
    return members.update('judged', encodeMember({ ...record, state: 'gone' }, codec), judged.revision).catch(() => false);
  });
  await writeFile(now, '');
  await launcher.says(/"code":75.*starting its next incarnation/);
  await coming;
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(0);
});

test('a second node of a name that runs is refused with one line and exit code 5', async () => {
  const launcher = program(['node', '--name', 'stays', '--cluster', CLUSTER, '--nats', servers.urls.join(',')]);
  started.push(launcher);
  expect(await launcher.ended).toBe(5);
  expect(launcher.stderr).toMatch(
    /^error conflict: a node named stays is running in this cluster .* — Choose another --name, or stop the other one\.\n$/,
  );
  expect(alive(staying.pid)).toBe(true);
});

test('of several nodes under one launcher a killed one comes back alone, and SIGTERM lets all of them leave', async () => {
  const launcher = program(['node', '--name', 'web', '--workers', '3', '--cluster', CLUSTER, '--nats', servers.urls.join(',')]);
  started.push(launcher);
  const pidOf = async (name: string) => {
    const [, pid] = await launcher.says(new RegExp(`node ${name} is up in cluster ${CLUSTER} \\(pid (\\d+)\\)`));
    return Number(pid);
  };
  const [first, second, third] = [await pidOf('web'), await pidOf('web-2'), await pidOf('web-3')];
  const before = await eventually('web-2 runs', 10_000, () => runs('web-2'));
  send(second, 'SIGKILL');
  const after = await eventually('its next incarnation runs', 20_000, async () => {
    const now = await runs('web-2');
    return now !== false && now.incarnation > before.incarnation && now.pid !== null && now;
  });
  expect(after.pid).not.toBe(second);
  expect([alive(launcher.pid), alive(first), alive(third)]).toEqual([true, true, true]);
  send(launcher.pid, 'SIGTERM');
  expect(await launcher.ended).toBe(0);
  await gone([first, third, Number(after.pid)]);
  for (const name of ['web', 'web-2', 'web-3']) await isGone(name);
});

test('one name of several that is in use stops them all, with the exit code of a conflict', async () => {
  const [other] = await node('pair-2');
  const launcher = program(['node', '--name', 'pair', '--workers', '2', '--cluster', CLUSTER, '--nats', servers.urls.join(',')]);
  started.push(launcher);
  expect(await launcher.ended).toBe(5);
  expect(launcher.stderr).toContain('error conflict: a node named pair-2 is running in this cluster');
  await eventually('nothing of them is left', 20_000, () => processesOf(CLUSTER).every((pid) => pid !== launcher.pid));
  send(other.pid, 'SIGTERM');
  expect(await other.ended).toBe(0);
});

test('a node that reaches no server says so in one line and exits 4; wrong options exit 2, agents that do not load 1', async () => {
  const started = [
    program(['node', '--name', 'x', '--nats', 'nats://127.0.0.1:1']),
    program(['node', '--name', 'x y', '--cluster', CLUSTER, '--nats', servers.urls.join(',')]),
    program(['node', '--capacity', 'much']),
    program(['node', '--name', 'x', '--cluster', CLUSTER, '--nats', servers.urls.join(','), '--agents', '/nowhere/agents']),
  ];
  expect(await Promise.all(started.map((each) => each.ended))).toEqual([4, 2, 2, 1]);
  for (const { stderr, stdout } of started) {
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error [a-z-]+: [^\n]+\n$/);
  }
  await eventually('nothing of them is left', 60_000, () => processesOf(CLUSTER).filter((pid) => pid !== staying.pid).length === 1);
});
