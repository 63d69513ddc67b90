import { afterAll, beforeAll, expect, test } from 'vitest';
import { Adders } from './adders.ts';
import { granted } from './granted.ts';
import { moodyAgents, nexa, type Program, program, temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, memoryOf, report } from './support.ts';

const ids = Array.from({ length: 12 }, (_, index) => `s${index}`);
const HEAL_MS = 60_000;
const HOSTILE = '\u001b]0;owned\u0007\u009b31m';

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
let adders: Adders;
let watch: Program;
let events: Program;
const at = (): string[] => ['--nats', live.urls.join(','), '--cluster', live.cluster];
const cli = (...argv: string[]) => nexa(...argv, ...at());
const json = async (...argv: string[]) => JSON.parse((await cli(...argv, '-o', 'json')).stdout);
interface Told {
  readonly event: string;
  readonly node: string;
  readonly atMs: number;
  readonly agent?: { readonly type: string; readonly id: string };
  readonly [more: string]: unknown;
}
const told = (): readonly Told[] =>
  events.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told);

beforeAll(async () => {
  folder = await temporary();
  live = await liveCluster({ agents: await moodyAgents(folder.path) });
  // Each at a named node: what moves, moves because of what is done here.
  for (const [index, id] of ids.entries())
    await granted(() => live.client.ask('spawn', { type: 'counter', id, spawnId: id, placement: { node: live.nodes[index % 3] } }));
  adders = new Adders(live.client, ids);
  watch = program(['watch', ...at()]);
  events = program(['events', '-o', 'json', ...at()]);
  await events.says(/listening/);
  await eventually('the first look is shown', HEAL_MS, () => ids.every((id) => watch.stdout.includes(`counter/${id} `)));
});
afterAll(async () => {
  for (const each of [watch, events]) {
    each?.child.kill('SIGTERM');
    await each?.ended;
  }
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

test('a SIGKILL is seen as it happens: which node, which agents moved where and why; and afterwards nexa why names it', async () => {
  const lost = ids.filter((_, index) => live.nodes[index % 3] === 'n2');
  const heardFrom = live.events.length;
  const killedAtMs = Date.now();
  live.signal('n2', 'SIGKILL');
  await eventually('every move is told', HEAL_MS, () => {
    const moved = new Set(told().flatMap(({ event, agent, from }) => (event === 'moved' && from === 'n2' ? [agent?.id] : [])));
    return lost.every((id) => moved.has(id));
  });
  const moves = told().filter(({ event, from }) => event === 'moved' && from === 'n2');
  for (const move of moves) expect(move).toMatchObject({ cause: 'crash', from: 'n2', to: move.node });
  await eventually('what became of the node is told', HEAL_MS, () =>
    told().some(({ event, member }) => event === 'member' && (member as { node: string; state: string }).node === 'n2'),
  );
  await eventually('the screen shows the new places', HEAL_MS, () =>
    // In one line or in several, as the looks fall.
    lost.every((id) =>
      new RegExp(
        `agent counter/${id} n2 running → [\\s\\S]*agent counter/${id} .*n[13] running|agent counter/${id} n2 running → .*n[13] running`,
      ).test(watch.stdout),
    ),
  );
  await eventually('and what became of the node', HEAL_MS, () => /node n2 running.* → /.test(watch.stdout));
  report(`SIGKILL: ${moves.length} moves told after ${Math.min(...moves.map(({ atMs }) => atMs)) - killedAtMs} ms and later`);

  const [id = ''] = lost;
  const why = await json('why', `counter/${id}`);
  expect(why).toMatchObject({ state: 'running', complete: true });
  expect(why.moves[0]).toMatchObject({ cause: 'spawn' });
  expect(why.moves).toContainEqual(expect.objectContaining({ cause: 'crash' }));
  expect(why.moves.at(-1)).toMatchObject({ node: why.node, epoch: null });
  expect((await cli('why', `counter/${id}`)).stdout).toMatch(/ n\d +spawn[\s\S]* n[13] +crash/);
  await live.heard('ready', 'n2', heardFrom);
});

test('a state change is on the screen soon after it happened, also while the cluster is under load', async () => {
  const seen = async (id: string, pattern: RegExp): Promise<number> => {
    const startedMs = performance.now();
    await granted(() => live.client.ask('spawn', { type: 'counter', id, spawnId: id }));
    await eventually(`${id} is on the screen`, HEAL_MS, () => pattern.test(watch.stdout), 5);
    return Math.round(performance.now() - startedMs);
  };
  const took: number[] = [];
  // A look may fall between its claim and its start: then it is first seen starting.
  for (let index = 0; index < 10; index++) took.push(await seen(`quick${index}`, new RegExp(`agent counter/quick${index} .*n\\d running`)));
  report(`from the request to the line of nexa watch: ${took.join(', ')} ms`);
  // Each at least once: one that moves to even the load out is activated again.
  const activated = () => told().flatMap(({ event, agent }) => (event === 'activated' && agent?.id.startsWith('quick') ? [agent.id] : []));
  await eventually('all are told', HEAL_MS, () => new Set(activated()).size === 10);
});

test('a hostile id and a hostile reason are shown escaped, and travel as data', async () => {
  // At a named node: what moves to even the load out begins anew there, and knows of no crash.
  const spawn = { type: 'moody', id: HOSTILE, spawnId: 'hostile', placement: { node: 'n2' } };
  await granted(() => live.client.ask('spawn', spawn));
  // Whoever answers may not have heard of it yet.
  const isListed = async () => (await live.client.list()).find(({ type, epoch }) => type === 'moody' && epoch > 0);
  await eventually('it is listed', HEAL_MS, isListed);
  await eventually('it crashes', HEAL_MS, async () => {
    const subject = `agent.moody.=${Buffer.from(HOSTILE).toString('base64url')}`;
    const answer = await live.client.ask(subject, { type: 'crash', why: `gone ${HOSTILE}` });
    return !answer.ok && answer.error.code === 'crashed';
  });
  await eventually('the crash is told', HEAL_MS, () => told().some(({ event, agent }) => event === 'restarted' && agent?.id === HOSTILE));
  for (const { stdout, exit } of [await cli('why', `moody/${HOSTILE}`), await cli('inspect', `moody/${HOSTILE}`)]) {
    expect(exit).toBe(0);
    expect(stdout).toContain('gone \\u{1b}]0;owned\\u{7}\\u{9b}31m');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  expect(await json('why', `moody/${HOSTILE}`)).toMatchObject({ id: HOSTILE, lastCrash: { message: expect.stringContaining(HOSTILE) } });
  await eventually('it is on the screen', HEAL_MS, () => watch.stdout.includes('moody/\\u{1b}]0;owned\\u{7}\\u{9b}31m'));
  expect(watch.stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('nodes and their logs are there to look at, and no secret of them', async () => {
  const node = await json('inspect', 'node', 'n1');
  expect(node).toMatchObject({ status: { node: 'n1', state: 'running' }, sample: { node: 'n1', incarnation: node.status.incarnation } });
  expect(node.sample.rssBytes).toBeLessThan(node.sample.memoryLimitBytes);
  expect(node.sample.nats.bytesIn).toBeGreaterThan(0);
  expect(node.sample.peers.map(({ node: peer }: { readonly node: string }) => peer)).toContain('n3');
  expect(node.sample.types.counter.handled).toBeGreaterThan(0);
  expect((await cli('inspect', 'node', 'n1')).stdout).toMatch(/^loop lag +p50 \d+ ms/m);
  const logs = await cli('logs');
  expect(logs).toMatchObject({ exit: 0, stderr: '' });
});

test('a flood of 100,000 dead letters is counted, neither sent on nor kept', async () => {
  const before = await Promise.all(live.nodes.map((name) => memoryOf(live.pid(name))));
  const from = told().length;
  const dead = async (): Promise<number> => {
    const all = await Promise.all(live.nodes.map((name) => granted(() => live.client.ask(`ctl.${name}`, { type: 'status' }))));
    return all.reduce((sum, { reply }) => sum + Number(reply.deadLetters), 0);
  };
  const atFirst = await dead();
  const body = JSON.stringify({ type: 'add', by: 'not a number', padding: 'x'.repeat(200) });
  for (let batch = 0; batch < 100; batch++) {
    for (let count = 0; count < 1_000; count++) live.client.nats.publish(`${live.prefix}.agent.counter.${ids[count % 3]}`, body);
    // What is sent faster than it can be taken may be lost on its way, and is no dead letter then.
    await eventually('they are counted', HEAL_MS, async () => (await dead()) - atFirst >= (batch + 1) * 1_000);
  }
  const counted = (await dead()) - atFirst;
  const flood = () =>
    told()
      .slice(from)
      .filter(({ event, of }) => event === 'dead-letter' || (event === 'omitted' && of === 'dead-letter'));
  const omitted = () => flood().reduce((sum, { event, count }) => sum + (event === 'omitted' ? Number(count) : 0), 0);
  const single = () => flood().filter(({ event }) => event === 'dead-letter').length;
  await eventually('what was left out is told', HEAL_MS, () => omitted() + single() >= counted);
  expect(single()).toBeLessThan(counted / 2);
  const after = await Promise.all(live.nodes.map((name) => memoryOf(live.pid(name))));
  const grown = after.map((bytes, index) => Math.round((bytes - (before[index] ?? 0)) / 1e6));
  report(`100,000 dead letters: ${single()} told one by one, ${omitted()} as a count; the nodes grew by ${grown.join(', ')} MB`);
  const { deadLetters } = await json('why', `counter/${ids[0]}`);
  expect(deadLetters.length).toBeLessThanOrEqual(50);
  // Among them may be an addition that nobody waited for any more.
  expect(deadLetters).toContainEqual(expect.objectContaining({ reason: 'invalid-message', to: `nexa:counter/${ids[0]}` }));
});

test('whoever watches goes on when the server was away', async () => {
  const [server] = live.servers.servers;
  await server?.kill();
  await server?.start();
  await live.servers.ready(HEAL_MS);
  await granted(() => live.client.ask('spawn', { type: 'counter', id: 'later', spawnId: 'later' }));
  await eventually('the screen shows it', HEAL_MS, () => /agent counter\/later .*running/.test(watch.stdout));
  // An event is told once, and each program connects again in its own time: what happened before that is not told to it.
  let later = 0;
  const another = async (): Promise<boolean> => {
    await granted(() => live.client.ask('spawn', { type: 'counter', id: `later-${++later}`, spawnId: `later-${later}` }));
    return told().some(({ event, agent }) => event === 'activated' && agent?.id.startsWith('later-'));
  };
  await eventually('and so do the events', HEAL_MS, another, 500);
  for (const each of [watch, events]) {
    each.child.kill('SIGTERM');
    expect(await each.ended).toBe(0);
  }
  await adders.stop();
});
