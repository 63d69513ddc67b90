import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Bare, bare } from '../live/bare.ts';
import { type Program, program } from '../live/program.ts';
import { alive, eventually, processesOf, send } from '../live/support.ts';
import { startServers, type TestServers } from '../support/nats.ts';

const CLUSTER = `orders-${process.pid}`;

let servers: TestServers;
let client: Bare;
let launcher: Program | undefined;
let worker = 0;
const order = (body: object) => client.ask('ctl.held.launcher', body);
/** Of the process, as the kernel says it: T is stopped. */
const stateOf = (pid: number): string | undefined => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
/** The kernel stops one thread after the other. */
const stops = () => eventually('it is stopped', 10_000, () => stateOf(worker) === 'T');
const goesOn = () => eventually('it goes on', 10_000, () => stateOf(worker) !== 'T');

beforeAll(async () => {
  servers = await startServers();
  client = await bare(servers.urls, CLUSTER, 'test');
});
beforeEach(async () => {
  if (launcher !== undefined && alive(launcher.pid)) return;
  launcher = program(['node', '--name', 'held', '--cluster', CLUSTER, '--nats', servers.urls.join(',')]);
  const [, pid] = await launcher.says(/\(pid (\d+)\)/);
  worker = Number(pid);
});
afterAll(async () => {
  for (const pid of processesOf(CLUSTER)) send(pid, 'SIGKILL');
  await client?.close();
  await servers?.stop();
});

test('a pause stops the process of the node and nothing else, and ends by itself', async () => {
  // Looked for before it is asked for: it ends by itself.
  const stopped = stops();
  expect(await order({ type: 'pause', forMs: 2_000 })).toEqual({ ok: true, reply: { pausedMs: 2_000 } });
  await stopped;
  expect(stateOf(launcher?.pid ?? 0)).not.toBe('T');
  await goesOn();
});

test('resume ends a pause, and of a node that runs it is nothing; a second pause sets the limit anew', async () => {
  await order({ type: 'pause', forMs: 60_000 });
  await stops();
  expect(await order({ type: 'resume' })).toEqual({ ok: true, reply: { resumed: true } });
  await goesOn();
  expect(await order({ type: 'resume' })).toEqual({ ok: true, reply: { resumed: true } });
  await order({ type: 'pause', forMs: 60_000 });
  await stops();
  await order({ type: 'pause', forMs: 100 });
  await goesOn();
});

test('a pause without its limit, beyond a minute, or with anything else is refused, and nothing stops', async () => {
  for (const wrong of [{}, { forMs: 0 }, { forMs: 60_001 }, { forMs: '1s' }, { forMs: 100, node: 'x' }])
    expect(await order({ type: 'pause', ...wrong }), JSON.stringify(wrong)).toMatchObject({
      ok: false,
      error: { code: 'invalid-message', definite: true },
    });
  expect(stateOf(worker)).not.toBe('T');
});

test('a launcher that is told to stop lets a node that it holds go on, so that it leaves', async () => {
  await order({ type: 'pause', forMs: 60_000 });
  send(launcher?.pid ?? 0, 'SIGTERM');
  expect(await launcher?.ended).toBe(0);
  expect(alive(worker)).toBe(false);
});

test('a node that is held when its launcher is killed goes on at once, and leaves as any node without a launcher', async () => {
  await order({ type: 'pause', forMs: 60_000 });
  await stops();
  send(launcher?.pid ?? 0, 'SIGKILL');
  await eventually('the node has left', 30_000, () => !alive(worker));
});
