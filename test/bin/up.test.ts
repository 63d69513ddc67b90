import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../../src/nats-server/ports.ts';
import { bare } from '../live/bare.ts';
import { linesOf, type Program, program, temporary } from '../live/program.ts';
import { eventually, processesOf, report, send } from '../live/support.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
let port: number;
let cluster: string;
let tests = 0;
beforeEach(async () => {
  folder = await temporary();
  cluster = `up-${process.pid}-${++tests}`;
  port = await freePort();
});
afterEach(async () => {
  for (const pid of left()) send(pid, 'SIGKILL');
  await folder[Symbol.asyncDispose]();
});

const freePort = async (): Promise<number> => (await freePorts(1, '127.0.0.1'))[0]?.client ?? 0;
const up = (...more: string[]): Program =>
  program(['up', '--nodes', '2', '--nats-port', String(port), '--cluster', cluster, '--data', join(folder.path, 'data'), ...more]);
/** Launcher, nodes, servers: everything that names this cluster or works in this folder. */
const left = (): readonly number[] => [...new Set([...processesOf(`"${cluster}"`), ...processesOf(cluster), ...processesOf(folder.path)])];
const nothingLeft = (withinMs = 20_000): Promise<true> =>
  eventually(`nothing is left of ${cluster}`, withinMs, () => left().length === 0) as Promise<true>;

test('nexa up runs a cluster that answers anybody, and SIGTERM ends all of it with 0', async () => {
  const running = up();
  await running.says(/ready after .* s: 2 nodes/);
  const client = await bare([`nats://127.0.0.1:${port}`], cluster, 'test');
  expect(await client.ask('spawn', { type: 'counter', id: 'alice' })).toMatchObject({ ok: true, created: true });
  expect(await client.ask('agent.counter.alice', { type: 'add', by: 1 })).toEqual({ ok: true, reply: { value: 1 } });
  await client.close();
  const beganMs = performance.now();
  send(running.pid, 'SIGTERM');
  expect(await running.ended).toBe(0);
  report(`SIGTERM of nexa up: ended after ${Math.round(performance.now() - beganMs)} ms`);
  // No word between them of a node that ended before it had left.
  expect(linesOf(running.stderr).slice(-2)).toEqual([expect.stringMatching(/^stopping: /), 'stopped']);
  expect(running.stdout).toBe('');
  await nothingLeft();
});

test('a second signal ends nexa up now, although a node sleeps', async () => {
  const running = up();
  const [, pid] = await running.says(/node n1 is up \(pid (\d+)\)[\s\S]*ready after/);
  send(Number(pid), 'SIGSTOP');
  send(running.pid, 'SIGINT');
  await running.says(/stopping: /);
  send(running.pid, 'SIGINT');
  expect(await running.ended).toBe(1);
  await nothingLeft();
});

test('a signal while nexa up is starting ends it gracefully too', async () => {
  const running = up();
  await running.says(/nats-server\(s\) ready/);
  send(running.pid, 'SIGTERM');
  expect(await running.ended).toBe(0);
  await nothingLeft();
});

test('SIGKILL of nexa up leaves nothing behind: no server at once, no node after a bounded time', async () => {
  const running = up();
  await running.says(/ready after/);
  const beganMs = performance.now();
  send(running.pid, 'SIGKILL');
  await running.ended;
  await nothingLeft(45_000);
  report(`SIGKILL of nexa up: nothing is left after ${Math.round(performance.now() - beganMs)} ms`);
});

test('what nexa up cannot use is one line and an exit code: a taken port 5, a folder that cannot be written 1, wrong flags 2', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  ({ port } = taken.address() as AddressInfo);
  const file = join(folder.path, 'file');
  const readOnly = join(folder.path, 'read-only');
  await writeFile(file, '');
  await mkdir(readOnly);
  await chmod(readOnly, 0o500);
  // Whoever may write everywhere may write there too; nobody makes a folder in a file.
  const unwritable = process.getuid?.() === 0 ? join(file, 'data') : readOnly;
  const free = await freePort();
  const tried: readonly (readonly [Program, number, RegExp])[] = [
    [up(), 5, new RegExp(`^error conflict: port ${port} .*--nats-port`)],
    [program(['up', '--nats-port', String(free), '--data', unwritable]), 1, /^error store-misconfigured: .*--data/],
    [program(['up', '--nodes', '0']), 2, /^error usage: .*--nodes/],
    [program(['up', '--servers', '2']), 2, /^error usage: .*--servers/],
    [program(['up', '--nats-port', 'x']), 2, /^error usage: .*--nats-port/],
    [program(['up', '--nats-port', String(free)], { NEXA_LOG: 'loud' }), 2, /^error invalid-message: .*NEXA_LOG/],
    [program(['up', '--nonsense']), 2, /^error usage: .*--nonsense/],
    [
      program(['up', '--nats-port', String(free), '--data', join(folder.path, 'd'), '--agents', '/nowhere']),
      1,
      /^error invalid-definition: .*nowhere/,
    ],
  ];
  for (const [running, exit, line] of tried) {
    expect([await running.ended, running.stdout]).toEqual([exit, '']);
    const lines = running.stderr.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(line);
    expect(lines.filter((each) => each.startsWith('error'))).toHaveLength(1);
  }
  taken.close();
  await nothingLeft();
});
