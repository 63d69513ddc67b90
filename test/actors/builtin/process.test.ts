import { afterEach, expect, test } from 'vitest';
import { processProtocol } from '../../../actors/builtin/index.ts';
import type { RuntimeEvent } from '../../../src/actor/events.ts';
import { memoryNetwork } from '../../../src/memory/network.ts';
import { brokerIn } from '../../../supervisors/broker.ts';
import { startNodeWith } from '../../../supervisors/node.ts';
import type { NexaNode, NodeOptions } from '../../../supervisors/node-contract.ts';
import { alive } from '../../live/support.ts';
import { realClock, realRandom, until } from '../../support/real.ts';

const nodes: NexaNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

type Processes = NonNullable<NodeOptions['processes']>;
const program = (script: string, more: object = {}) => ({ command: process.execPath, args: ['-e', script], ...more });
const waiting = program('console.log(process.pid); setInterval(() => {}, 1e6)');

/** Nodes of one cluster in this process, each with programs of its own. */
const cluster = (...programs: readonly Processes[]) => clusterOf(programs.map((processes) => ({ processes })));
async function clusterOf(options: readonly NodeOptions[]): Promise<readonly NexaNode[]> {
  const network = memoryNetwork({ clock: realClock, random: realRandom, defer: (run) => void setImmediate(run) });
  const started = await Promise.all(
    options.map((each, index) =>
      startNodeWith({ cluster: 'c', name: `n${index}`, ...each }, { broker: brokerIn(network, `n${index}`, realClock) }),
    ),
  );
  nodes.push(...started);
  return started;
}
async function one(processes: Processes, labels: Readonly<Record<string, string>> = {}) {
  const [node] = await clusterOf([{ processes, labels }]);
  if (node === undefined) throw new Error('no node');
  const events: RuntimeEvent[] = [];
  node.system.events.subscribe((event) => void events.push(event));
  const spawn = (name: string, id = 'a') => spawnOn(node, { process: name }, id);
  const said = () => events.flatMap((event) => (event.event === 'process-output' ? [event.text] : []));
  return { node, events, spawn, said };
}
const within = { timeoutMs: 5_000 };
async function spawnOn(node: NexaNode, config: unknown, id = 'a', placement = {}) {
  // As a message from outside spawns it: by the name of its type.
  const spawned = await node.spawn(processProtocol as never, { id, config, placement, timeoutMs: 5_000 } as never);
  return { node: spawned.node, ref: node.agent(processProtocol, id) };
}

test('a program runs while its agent does: status, output, and its end with the agent', async () => {
  const { node, spawn, said } = await one({ waiting });
  const { ref } = await spawn('waiting');
  await until(() => said().length === 1);
  const pid = Number(said()[0]);
  const status = await ref.ask({ type: 'status' }, within);
  expect(status).toMatchObject({ process: 'waiting', state: 'running', pid, lines: 1, untold: 0 });
  expect(await ref.ask({ type: 'output', lines: 10 }, within)).toEqual({
    lines: [{ stream: 'stdout', text: `${pid}`, cut: false }],
    dropped: 0,
  });
  expect(alive(pid)).toBe(true);
  await node.stopAgent(ref);
  expect(alive(pid)).toBe(false);
});

test('it takes input and signals', async () => {
  const { spawn, said } = await one({
    cat: program(`process.on('SIGHUP', () => console.log('reload')); process.stdin.on('data', (text) => console.log('got ' + text))`),
  });
  const { ref } = await spawn('cat');
  await ref.ask({ type: 'write', text: 'hey', end: false }, within);
  await until(() => said().includes('got hey'));
  await ref.ask({ type: 'signal', signal: 'HUP' }, within);
  await until(() => said().includes('reload'));
});

test('its end is the crash of its agent: it runs again, and what it wrote before is still there', async () => {
  const { events, spawn, said } = await one({ waiting });
  const { ref } = await spawn('waiting');
  await until(() => said().length === 1);
  const [first] = said();
  process.kill(Number(first), 'SIGKILL');
  await until(() => said().length === 2);
  const again = await ref.ask({ type: 'status' }, within);
  expect(again).toMatchObject({ state: 'running', pid: Number(said()[1]), lines: 2 });
  expect((await ref.ask({ type: 'output', lines: 10 }, within)).lines.map(({ text }) => text)).toEqual(said());
  expect(events.filter(({ event }) => event === 'process-exited')).toEqual([expect.objectContaining({ signal: 'SIGKILL', code: null })]);
  expect(events.find(({ event }) => event === 'restarted')).toMatchObject({
    error: { code: 'crashed', message: expect.stringContaining('waiting ended with SIGKILL') },
  });
});

test('one that keeps crashing is put aside, and the reason is what it said last', async () => {
  const { events, spawn } = await one({ broken: program(`console.error('no licence'); process.exit(9)`) });
  await spawn('broken');
  await until(() => events.some(({ event }) => event === 'quarantined'), 20_000);
  expect(events.find(({ event }) => event === 'restarted')).toMatchObject({ error: { message: 'broken ended with code 9: no licence' } });
  expect(events.filter(({ event }) => event === 'process-exited')).toHaveLength(6);
});

test.each([
  ['transient', 0, 'stopped'],
  ['temporary', 7, 'stopped'],
  ['transient', 7, 'restarted'],
  ['permanent', 0, 'restarted'],
] as const)('a %s program that ends with %d is %s', async (restart, code, then) => {
  const { events, spawn } = await one({ brief: program(`process.exitCode = ${code}`, { restart }) });
  await spawn('brief');
  const seen = () =>
    events.find((event) => event.event === 'restarted' || (event.event === 'stopped' && event.address.kind === 'agent'))?.event;
  await until(() => seen() !== undefined);
  expect(seen()).toBe(then);
});

test('a program that is stopped is gone before the next one of its agent starts', async () => {
  const { node, events, spawn, said } = await one({ waiting });
  const { ref } = await spawn('waiting');
  await until(() => said().length === 1);
  await node.stopAgent(ref);
  await spawn('waiting');
  await until(() => said().length === 2);
  const order = events.flatMap(({ event }) => (event === 'process-output' || event === 'process-exited' ? [event] : []));
  expect(order).toEqual(['process-output', 'process-exited', 'process-output']);
});

test('a message never says what to run', async () => {
  const { node, spawn, said } = await one({ waiting });
  const refused = (config: unknown) =>
    spawnOn(node, config, 'b').then(
      () => 'spawned',
      ({ code }) => code,
    );
  expect(await refused({ process: 'waiting', command: 'rm' })).toBe('invalid-message');
  expect(await refused({ process: 'waiting', args: ['-rf'] })).toBe('invalid-message');
  expect(await refused({ process: '../../bin/sh' })).toBe('invalid-message');
  expect(await refused({ process: 5 })).toBe('invalid-message');
  expect(await refused({})).toBe('invalid-message');
  expect(await refused({ process: 'sh' })).toBe('unavailable');
  expect(await refused({ process: 'constructor' })).toBe('unavailable');
  const { ref } = await spawn('waiting');
  const answer = (message: object) =>
    ref.ask(message as never, within).then(
      () => 'done',
      ({ code }) => code,
    );
  expect(await answer({ type: 'status', command: 'rm' })).toBe('invalid-message');
  expect(await answer({ type: 'signal', signal: 'KILL' })).toBe('invalid-message');
  expect(await answer({ type: 'write', text: 'x'.repeat(65_537) })).toBe('invalid-message');
  expect(await answer({ type: 'output', lines: 1e9 })).toBe('invalid-message');
  expect(await answer({ type: 'ended', code: 0, signal: null })).toBe('unknown-command');
  expect(await answer({ type: 'run', command: 'rm' })).toBe('unknown-command');
  await until(() => said().length === 1);
});

test('a node without programs does not know the type', async () => {
  const [node] = await cluster({});
  if (node === undefined) throw new Error('no node');
  await expect(spawnOn(node, { process: 'waiting' })).rejects.toMatchObject({ code: 'unknown-type' });
});

test('it goes where its program is, whichever node is asked, and nowhere else', async () => {
  const other = program('setInterval(() => {}, 1e6)');
  const [bare, left, right] = await cluster({}, { left: other }, { right: other });
  if (bare === undefined || left === undefined || right === undefined) throw new Error('no nodes');
  for (const [index, asked] of [bare, left, right].entries()) {
    for (const name of ['left', 'right']) {
      await until(async () => {
        const { node } = await spawnOn(asked, { process: name }, `${name}-${index}`).catch(() => ({ node: undefined }));
        return node === (name === 'left' ? 'n1' : 'n2');
      }, 10_000);
    }
    await expect(spawnOn(asked, { process: 'middle' }, `m${index}`)).rejects.toMatchObject({
      code: 'unavailable',
      definite: true,
      where: { 'label process.middle': 'yes' },
    });
    await expect(spawnOn(asked, { process: 'left' }, `l${index}`, { labels: { zone: 'eu' } })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(spawnOn(asked, { process: 'left', command: 'x' }, `h${index}`)).rejects.toMatchObject({ code: 'invalid-message' });
  }
});

test('a label that only pretends starts nothing: the agent is put aside with the reason', async () => {
  const { node, events } = await one({ waiting }, { 'process.other': 'yes' });
  await spawnOn(node, { process: 'other' }).catch(() => undefined);
  await until(() => events.some(({ event }) => event === 'quarantined'), 20_000);
  expect(events.find(({ event }) => event === 'restarted')).toMatchObject({
    error: { code: 'unavailable', message: "this node's configuration names no such process" },
  });
});
