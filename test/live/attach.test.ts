import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServers } from '../support/nats.ts';
import { nexa, program } from './program.ts';
import { eventually, type LiveCluster, liveCluster, processesOf, report, send } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster();
});
afterAll(() => live?.stop());

const at = () => ['--nats', live.urls.join(','), '--cluster', live.cluster];
const attach = async (...argv: string[]) => {
  const { exit, stdout } = await nexa('chaos', 'attach', ...argv, '--yes', '-o', 'json', ...at());
  return { exit, ...JSON.parse(stdout) };
};
let spawned = 0;
async function agentsOn(node: string, count = 5): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => `a${++spawned}`);
  for (const id of ids) {
    await eventually(`${id} is on ${node}`, 30_000, async () => {
      const answer = await live.client.ask('spawn', { type: 'counter', id, placement: { node } });
      return answer.ok && answer.agent?.node === node;
    });
    expect(await live.client.ask(`agent.counter.${id}`, { type: 'add', by: 1 })).toEqual({ ok: true, reply: { value: 1 } });
  }
  return ids;
}
async function unharmed(ids: readonly string[]): Promise<void> {
  for (const id of ids)
    await eventually(`${id} has what was acknowledged`, 30_000, async () => {
      const answer = await live.client.ask(`agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
      return answer.ok && answer.reply.value === 1;
    });
}
/** The process that this was: one that stood still for longer than its lease ends when it goes on, and there is another one. */
const stopped = (pid: number): boolean => {
  try {
    return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
};
const nodeRow = async (name: string) => {
  const answer = await live.client.ask('ctl', { type: 'nodes' });
  return answer.ok && answer.reply.nodes.find(({ node }: { readonly node: string }) => node === name);
};
/** Whoever is asked knows it from a beat. */
const cordoned = (name: string, is: boolean): Promise<true> =>
  eventually(`${name} is ${is ? '' : 'not '}cordoned`, 20_000, async () => {
    const row = await nodeRow(name);
    return row && row.cordoned === is && (is || row.state === 'running');
  });

test('C5: attach kill says who did it, where the agents went and when the node was back; nothing acknowledged is lost', async () => {
  const ids = await agentsOn('n2');
  const said = await attach('kill', 'n2');
  expect(said).toMatchObject({ exit: 0, order: 'kill', node: 'n2', answeredBy: 'the launcher of n2', nowhere: 0, stopped: false });
  expect(said.agents).toBeGreaterThanOrEqual(5);
  expect(Object.values<number>(said.moved).reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(5);
  expect(said.backMs).toBeGreaterThan(0);
  report(
    `attach kill: ${said.agents} agents moved after p50 ${said.movedMs.p50} ms, max ${said.movedMs.max} ms; n2 was back after ${said.backMs} ms`,
  );
  await unharmed(ids);
});

test('C1: attach pause stops the node for its time and no longer, its agents go elsewhere meanwhile', async () => {
  await live.settled();
  const ids = await agentsOn('n3');
  const said = await attach('pause', 'n3', '--seconds', '12');
  expect(said).toMatchObject({ exit: 0, order: 'pause', nowhere: 0, stopped: false });
  expect(said.movedMs.max).toBeLessThan(said.backMs);
  report(
    `attach pause for 12 s: ${said.agents} agents moved after p50 ${said.movedMs.p50} ms, max ${said.movedMs.max} ms; n3 was back after ${said.backMs} ms`,
  );
  await unharmed(ids);
});

test('a pause ends with Ctrl-C; and with its time when whoever wanted it was killed', async () => {
  await live.settled();
  const first = live.pid('n1');
  const attacher = program(['chaos', 'attach', 'pause', 'n1', '--seconds', '60', '--yes', '-o', 'json', ...at()]);
  await eventually('n1 is stopped', 30_000, () => stopped(first));
  send(attacher.pid, 'SIGINT');
  await eventually('n1 goes on', 30_000, () => !stopped(first));
  expect(await attacher.ended).toBe(0);
  expect(JSON.parse(attacher.stdout)).toMatchObject({ order: 'pause', stopped: true });

  await live.settled();
  const second = live.pid('n1');
  // Long enough to be seen, and not over before whoever wanted it is killed.
  const killed = program(['chaos', 'attach', 'pause', 'n1', '--seconds', '7', '--yes', ...at()]);
  await eventually('n1 is stopped', 30_000, () => stopped(second));
  send(killed.pid, 'SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  await eventually('n1 goes on', 30_000, () => !stopped(second));
});

test('C7: attach drain empties a node, and after its time, or with Ctrl-C, it takes agents again', async () => {
  await live.settled();
  const ids = await agentsOn('n2');
  // The drain itself may take no longer than that either.
  expect(await attach('drain', 'n2', '--seconds', '5')).toMatchObject({ exit: 0, order: 'drain', answeredBy: 'n2', nowhere: 0 });
  await cordoned('n2', false);
  await unharmed(ids);

  const attacher = program(['chaos', 'attach', 'drain', 'n3', '--seconds', '60', '--yes', ...at()]);
  await attacher.says(/n3 answered after \d+ ms/);
  await cordoned('n3', true);
  send(attacher.pid, 'SIGINT');
  expect(await attacher.ended).toBe(0);
  expect(attacher.stderr).toContain('n3 takes agents again');
  await cordoned('n3', false);
});

test('what nobody said yes to, who is not there, and what is typed wrong harms nobody', async () => {
  await live.settled();
  const before = ['n1', 'n2', 'n3'].map(live.pid);
  const cli = (...argv: string[]) => nexa('chaos', 'attach', ...argv, ...at());
  expect(await cli('kill', 'n2')).toMatchObject({
    exit: 6,
    stdout: '',
    stderr: expect.stringMatching(/error denied: .* — Add --yes\.\n$/),
  });
  expect(await cli('pause', 'n2')).toMatchObject({ exit: 6 });
  expect(await cli('kill', 'n22', '--yes')).toMatchObject({ exit: 3, stderr: expect.stringContaining('Did you mean n2?') });
  for (const wrong of [
    ['burn', 'n2'],
    ['kill'],
    ['kill', 'n2', '--seconds', '3'],
    ['pause', 'n2', '--seconds', '61'],
    ['drain', 'n2', '--seconds', '0'],
  ])
    expect(await cli(...wrong, '--yes'), wrong.join(' ')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/^error usage: [^\n]+\n$/),
    });
  expect(['n1', 'n2', 'n3'].map(live.pid)).toEqual(before);
});

test('a cluster whose servers do not let us is denied, and nothing of it is harmed', async () => {
  const deny = ['nexa.*.v1.ctl.*', 'nexa.*.v1.ctl.*.launcher'];
  const guest = { user: 'guest', password: 'guest', permissions: { publish: { deny } } };
  await using servers = await startServers({ settings: { authorization: { users: [guest] }, no_auth_user: 'guest' } });
  const cluster = `guarded-${process.pid}`;
  const there = ['--nats', servers.urls.join(','), '--cluster', cluster];
  const node = program(['node', '--name', 'g1', ...there]);
  const [, worker] = await node.says(/is up in cluster .* \(pid (\d+)\)/);
  for (const order of [
    ['kill', 'g1'],
    ['pause', 'g1'],
    ['drain', 'g1'],
  ])
    expect(await nexa('chaos', 'attach', ...order, '--yes', ...there), order.join(' ')).toMatchObject({
      exit: 6,
      stderr: expect.stringContaining('error denied:'),
    });
  expect(processesOf(cluster)).toContain(node.pid);
  expect(readFileSync(`/proc/${worker}/stat`, 'utf8')).not.toMatch(/\) T /);
  send(node.pid, 'SIGTERM');
  expect(await node.ended).toBe(0);
});
