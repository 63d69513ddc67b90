import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServers, type TestServers } from '../support/nats.ts';
import { type Bare, bare } from './bare.ts';
import { type Program, program, temporary } from './program.ts';
import { alive, eventually, processesOf, report, send } from './support.ts';

/** A text that is in no longer one: processes are looked for by it. */
const CLUSTER = `process-${process.pid}-end`;

let servers: TestServers;
let client: Bare;
let folder: Awaited<ReturnType<typeof temporary>>;
beforeAll(async () => {
  servers = await startServers();
  client = await bare(servers.urls, CLUSTER, 'test');
  folder = await temporary();
  const child = `setInterval(() => {}, 1e6)`;
  const script = `const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(child)}, '${CLUSTER}']);
    console.log(JSON.stringify([process.pid, child.pid])); setInterval(() => {}, 1e6)`;
  const config = {
    cluster: CLUSTER,
    nats: { urls: servers.urls },
    name: 'host',
    processes: { family: { command: process.execPath, args: ['-e', script] } },
  };
  await writeFile(join(folder.path, 'nexa.config.json'), JSON.stringify(config));
});
afterAll(async () => {
  for (const pid of processesOf(CLUSTER)) send(pid, 'SIGKILL');
  await client?.close();
  await servers?.stop();
  await folder?.[Symbol.asyncDispose]();
});

async function node(): Promise<readonly [Program, number]> {
  const launcher = program(['node', '--config', join(folder.path, 'nexa.config.json')]);
  const [, pid] = await launcher.says(new RegExp(`node host is up in cluster ${CLUSTER} \\(pid (\\d+)\\)`));
  return [launcher, Number(pid)];
}
/** The program of the agent and the child it started itself, once they run and are not these. */
const family = (before: readonly number[]): Promise<readonly number[]> =>
  eventually('the program runs', 40_000, async () => {
    await client.ask('spawn', { type: 'process', id: 'f', config: { process: 'family' } });
    const answer = await client.ask('agent.process.f', { type: 'output', lines: 1 }, { timeoutMs: 1_000 });
    const text = answer.ok ? answer.reply.lines[0]?.text : undefined;
    const pids = text === undefined ? before : (JSON.parse(text) as readonly number[]);
    return pids.length === 2 && !pids.some((pid) => before.includes(pid)) && pids.every(alive) && pids;
  });
const gone = (pids: readonly number[]) => eventually(`${pids} end`, 20_000, () => !pids.some(alive), 5);

test('a program and all it started end with its node, however that ends, and run again where its agent does', async () => {
  const [launcher, worker] = await node();
  const first = await family([]);
  expect([worker, ...first].map(alive)).toEqual([true, true, true]);
  let killedAtMs = performance.now();
  send(worker, 'SIGKILL');
  await gone(first);
  report(`SIGKILL of a node: the program of its agent is gone after ${Math.round(performance.now() - killedAtMs)} ms`);

  const second = await family(first);
  killedAtMs = performance.now();
  const again = await eventually('the pid of the next node is known', 20_000, async () => {
    const nodes = await client.ask('ctl', { type: 'nodes' });
    const pid = nodes.ok ? (nodes.reply.nodes[0] as { readonly pid: number | null } | undefined)?.pid : null;
    return pid !== worker && pid;
  });
  // The launcher first: nobody is left who could look after anything.
  send(launcher.pid, 'SIGKILL');
  send(again, 'SIGKILL');
  await gone(second);
  report(`SIGKILL of a launcher and its node: gone after ${Math.round(performance.now() - killedAtMs)} ms`);

  const [leaving] = await node();
  const third = await family(second);
  send(leaving.pid, 'SIGTERM');
  expect(await leaving.ended).toBe(0);
  // What was killed is gone when it is next scheduled.
  await gone(third);
  await eventually('nothing of it is left', 20_000, () => processesOf(CLUSTER).length === 0);
});
