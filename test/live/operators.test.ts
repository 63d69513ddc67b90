import { afterAll, beforeAll, expect, test } from 'vitest';
import { granted } from './granted.ts';
import { moodyAgents, nexa, temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster } from './support.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ agents: await moodyAgents(folder.path) });
});
afterAll(async () => {
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const cli = (...argv: string[]) => nexa(...argv, '--nats', live.urls.join(','), '--cluster', live.cluster);
const json = async (...argv: string[]) => {
  const { stdout, stderr } = await cli(...argv, '-o', 'json');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
};
const crash = (id: string, why: string) => live.client.ask(`agent.moody.${id}`, { type: 'crash', why }, { timeoutMs: 20_000 });
interface Branch {
  readonly name: string;
  readonly restarts: number;
  readonly lastReason: string | null;
  readonly children: readonly Branch[];
}
const find = (branch: Branch, name: RegExp): Branch | undefined =>
  name.test(branch.name) ? branch : branch.children.map((child) => find(child, name)).find((found) => found !== undefined);

test('L2: nexa tree shows how often an agent crashed and why the last time, on a terminal and as JSON', async () => {
  expect(await json('spawn', 'moody', 'sad', '--node', 'n1')).toMatchObject({ created: true, node: 'n1' });
  expect(await live.client.ask('agent.moody.sad', { type: 'add' })).toEqual({ ok: true, reply: { value: 1 } });
  for (const why of ['first', 'second\u001b[31m', 'no coffee left'])
    expect(await crash('sad', why)).toMatchObject({ ok: false, error: { code: 'crashed' } });
  expect(await live.client.ask('agent.moody.sad', { type: 'get' }, { timeoutMs: 20_000 })).toEqual({ ok: true, reply: { value: 1 } });
  const [{ tree }] = await json('tree', 'n1');
  const shown = find(tree, /sad/);
  expect(shown).toMatchObject({ restarts: 3 });
  expect(shown?.lastReason).toContain('no coffee left');
  const text = await cli('tree');
  expect(text.exit).toBe(0);
  expect(text.stdout).toMatch(/sad.*restarts 3.*no coffee left/);
});

test('L2: an agent that crashes past its intensity is quarantined, nexa ps shows it, its node lives, and a spawn revives it', async () => {
  expect(await json('spawn', 'moody', 'doomed', '--node', 'n1')).toMatchObject({ created: true });
  expect(await live.client.ask('agent.moody.doomed', { type: 'add' })).toEqual({ ok: true, reply: { value: 1 } });
  const before = live.pid('n1');
  await eventually('it is quarantined', 60_000, async () => {
    const answer = await crash('doomed', 'always');
    return !answer.ok && answer.error.code === 'quarantined';
  });
  // Each is answered by another node, which may not have heard of it yet.
  const row = await eventually('it is listed so', 60_000, async () => {
    const found = (await json('ps', 'moody')).find(({ id }: { readonly id: string }) => id === 'doomed');
    return found?.state === 'quarantined' && found;
  });
  expect(row).toMatchObject({ node: null });
  await eventually('and shown so', 60_000, async () => /moody\/doomed\s+quarantined/.test((await cli('ps')).stdout));
  expect(await cli('ask', 'moody/doomed', '{"type":"get"}')).toMatchObject({
    exit: 1,
    stderr: expect.stringMatching(/^error quarantined: .*always.*\n$/),
  });
  expect(live.pid('n1')).toBe(before);
  expect(await live.client.ask('agent.moody.sad', { type: 'get' })).toEqual({ ok: true, reply: { value: 1 } });
  expect(await json('spawn', 'moody', 'doomed')).toMatchObject({ created: true });
  expect(await json('ask', 'moody/doomed', '{"type":"add"}')).toEqual({ value: 2 });
});

test('C8: a spawn with another configuration over a running agent is a conflict, over a stopped one it counts', async () => {
  const spawn = (config: object) => live.client.ask('spawn', { type: 'moody', id: 'configured', config });
  expect(await spawn({ step: 2 })).toMatchObject({ ok: true, created: true });
  expect(await spawn({ step: 2 })).toMatchObject({ ok: true, created: false });
  expect(await spawn({ step: 3 })).toMatchObject({ ok: false, error: { code: 'conflict', definite: true } });
  expect(await spawn({ step: 'x' })).toMatchObject({ ok: false, error: { code: 'invalid-message' } });
  expect((await cli('spawn', 'moody', 'configured', '--config', '{"step":5}')).exit).toBe(5);
  expect(await live.client.ask('agent.moody.configured', { type: 'add' })).toMatchObject({ reply: { value: 2 } });
  expect(await live.client.ask('agents', { type: 'stop', agent: 'moody', id: 'configured' })).toEqual({ ok: true });
  expect(await spawn({ step: 3 })).toMatchObject({ ok: true, created: true });
  expect(await live.client.ask('agent.moody.configured', { type: 'add' })).toMatchObject({ reply: { value: 5 } });
});

test('C5: nexa kill ends a node process at once, its agents answer elsewhere, and its launcher starts the next one', async () => {
  expect(await json('spawn', 'counter', 'mover', '--node', 'n2')).toMatchObject({ node: 'n2' });
  const [before, from] = [live.pid('n2'), live.events.length];
  expect(await cli('kill', 'n2')).toEqual({ exit: 0, stdout: 'killed n2\n', stderr: '' });
  expect(await live.heard('exited', 'n2', from)).toMatchObject({ pid: before, signal: 'SIGKILL' });
  await live.heard('ready', 'n2', from);
  expect((await cli('kill', 'n9')).exit).toBe(4);
});

test('C7: nexa stop node lets it leave for good, and its agents answer from the others', async () => {
  const ids = ['leave-0', 'leave-1', 'leave-2'];
  for (const id of ids) {
    expect(await json('spawn', 'counter', id, '--node', 'n3')).toMatchObject({ node: 'n3' });
    await granted(() => live.client.ask(`agent.counter.${id}`, { type: 'add', by: 1 }, { requestId: 'once' }));
  }
  const from = live.events.length;
  expect((await cli('stop', 'node', 'n3')).exit).toBe(0);
  expect(await live.heard('exited', 'n3', from)).toMatchObject({ code: 0 });
  for (const id of ids) {
    const answer = await eventually(`${id} answers`, 20_000, async () => {
      const read = await live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
      return read.ok && read;
    });
    expect(answer.reply).toEqual({ value: 1 });
  }
  await eventually('everybody knows it gone', 60_000, async () => {
    const nodes: readonly { readonly node: string; readonly state: string }[] = await json('nodes');
    return (nodes.find(({ node }) => node === 'n3')?.state ?? 'gone') === 'gone';
  });
  expect(live.events.slice(from).some((event) => event.event === 'started' && event.node === 'n3')).toBe(false);
});
