import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServers } from '../support/nats.ts';
import { type Bare, bare } from './bare.ts';
import { nexa, program, temporary } from './program.ts';
import { eventually, liveCluster, report } from './support.ts';

/** `keeper` keeps its state, `ledger` its events; both note numbers in order, and remind themselves. */
async function agentsIn(folder: string): Promise<string> {
  const agents = join(folder, 'agents');
  await mkdir(agents);
  await writeFile(
    join(agents, 'noting.ts'),
    `import { command, defineAgent, defineEventSourced, internal } from 'nexa';
import { z } from 'zod';
const state = z.object({ notes: z.array(z.int()), fired: z.int() });
const commands = {
  note: command({ n: z.int() }),
  show: command({}, { reply: state.extend({ epoch: z.int() }) }),
  remind: command({ everyMs: z.int() }),
  fire: internal({}),
  fail: command({}),
};
const common = { version: 1, commands, state, initial: { notes: [], fired: 0 }, limits: { tries: 1 } };
const remind = (context, { everyMs }) => context.remind('again', { everyMs }, { type: 'fire' });
const fail = () => {
  throw new Error('poison');
};
export const keeper = defineAgent({ type: 'keeper', ...common }).handle({
  note: ({ state }, { n }) => ({ state: { ...state, notes: [...state.notes, n] } }),
  show: ({ state, epoch }) => ({ reply: { ...state, epoch } }),
  remind,
  fire: ({ state }) => ({ state: { ...state, fired: state.fired + 1 } }),
  fail,
});
export const ledger = defineEventSourced({
  type: 'ledger',
  ...common,
  events: { noted: { n: z.int() }, fired: {} },
  snapshotEvery: { events: 7 },
})
  .apply({
    noted: (state, { n }) => ({ ...state, notes: [...state.notes, n] }),
    fired: (state) => ({ ...state, fired: state.fired + 1 }),
  })
  .handle({
    note: (_context, { n }) => ({ events: [{ type: 'noted', n }] }),
    show: ({ state, epoch }) => ({ reply: { ...state, epoch } }),
    remind,
    fire: () => ({ events: [{ type: 'fired' }] }),
    fail,
  });
`,
  );
  return agents;
}

interface Shown {
  readonly notes: readonly number[];
  readonly fired: number;
  readonly epoch: number;
}
const NAMES = ['keeper.a', 'keeper.b', 'ledger.a', 'ledger.b'] as const;
const show = (client: Bare, name: string): Promise<Shown> =>
  eventually(`${name} answers`, 30_000, async () => {
    const answer = await client.ask(`agent.${name}`, { type: 'show' }, { timeoutMs: 1_000 });
    return answer.ok && (answer.reply as Shown);
  });

test('a cluster under load is backed up, and restored on three other servers: nothing acknowledged is lost, nothing is doubled, epochs are above', async () => {
  await using folder = await temporary();
  const agents = await agentsIn(folder.path);
  const file = join(folder.path, 'shop.nexa');
  const acknowledged = new Map<string, number>();
  let before: ReadonlyMap<string, number>;
  let epochs: readonly number[];
  {
    await using old = await liveCluster({ agents, nodes: 2 });
    const { client } = old;
    for (const name of NAMES) {
      const [type, id] = name.split('.');
      expect(await client.insist('spawn', { type, id })).toMatchObject({ ok: true });
      expect(await client.insist(`agent.${name}`, { type: 'remind', everyMs: 1_000 })).toMatchObject({ ok: true });
    }
    expect(await client.insist('spawn', { type: 'counter', id: 'c' })).toMatchObject({ ok: true });
    expect(await client.insist('agent.counter.c', { type: 'add', by: 7 }, { requestId: 'seven' })).toEqual({
      ok: true,
      reply: { value: 7 },
    });
    expect(await client.insist('durable.keeper.a', { type: 'fail' }, { requestId: 'poison' })).toMatchObject({ ok: true });
    let over = false;
    const load = Promise.all(
      NAMES.map(async (name) => {
        for (let n = 1; !over; n++) {
          expect(await client.insist(`durable.${name}`, { type: 'note', n }, { timeoutMs: 2_000, requestId: `note-${n}` })).toMatchObject({
            ok: true,
          });
          acknowledged.set(name, n);
        }
      }),
    );
    load.catch(() => undefined);
    await eventually('each has stored a hundred', 60_000, () => NAMES.every((name) => (acknowledged.get(name) ?? 0) >= 100));
    // Stored is not handled: what is poison is dead before the next one is tried.
    await eventually('what was stored behind the poison is handled', 60_000, async () => (await show(client, 'keeper.a')).notes.length > 0);
    before = new Map(acknowledged);
    const taken = await nexa('backup', file, '--nats', old.urls.join(','), '--cluster', old.cluster, '-o', 'json');
    expect(taken).toMatchObject({ exit: 0, stderr: '' });
    const said = JSON.parse(taken.stdout);
    // Who changes while it is read is taken again, and each take counts: how much there is the restore says.
    expect(said).toMatchObject({ ok: true, cluster: old.cluster, corrupt: [], counts: { agent: NAMES.length + 1 } });
    report(
      `backup of ${said.counts.agent} agents under load: ${said.bytes} bytes in ${said.tookMs} ms; ${said.counts.mail} messages waited`,
    );
    epochs = await Promise.all(NAMES.map(async (name) => (await show(client, name)).epoch));
    const again = await nexa('backup', file, '--nats', old.urls.join(','), '--cluster', old.cluster, '-o', 'json');
    expect([again.exit, JSON.parse(again.stdout).error.code]).toEqual([5, 'conflict']);
    const into = await nexa('restore', file, '--nats', old.urls.join(','), '--cluster', old.cluster, '-o', 'json');
    expect([into.exit, JSON.parse(into.stdout).error]).toMatchObject([5, { code: 'conflict', definite: true }]);
    over = true;
    await load;
  }

  await using servers = await startServers({ count: 3 });
  const cluster = `again-${process.pid}`;
  const there = ['--nats', servers.urls.join(','), '--cluster', cluster];
  const damaged = join(folder.path, 'damaged.nexa');
  await writeFile(damaged, (await readFile(file)).subarray(0, -300));
  const refused = await nexa('restore', damaged, ...there, '--replicas', '3', '-o', 'json');
  expect([refused.exit, JSON.parse(refused.stdout).error]).toMatchObject([1, { code: 'corrupt-record', definite: true }]);
  const done = await nexa('restore', file, ...there, '--replicas', '3', '-o', 'json');
  expect(done).toMatchObject({ exit: 0, stderr: '' });
  const restored = JSON.parse(done.stdout);
  expect(restored).toMatchObject({ ok: true, cluster, replicas: 3, counts: { state: 3, reminder: 4, dead: 1 } });
  report(
    `restored ${restored.counts.agent} agents, ${restored.counts.mail} messages (${restored.handled} had been handled) in ${restored.tookMs} ms`,
  );

  const node = program(['node', '--name', 'n1', '--workers', '2', '--agents', agents, ...there]);
  try {
    await node.says(/is up in cluster/);
    const client = await bare(servers.urls, cluster, 'test');
    expect(await client.insist('agent.counter.c', { type: 'add', by: 7 }, { requestId: 'seven', timeoutMs: 20_000 })).toEqual({
      ok: true,
      reply: { value: 7 },
    });
    for (const [index, name] of NAMES.entries()) {
      const least = before.get(name) ?? 0;
      const shown = await eventually(`${name} has noted all`, 60_000, async () => {
        const now = await show(client, name);
        return now.notes.length >= least && now;
      });
      expect(shown.epoch).toBeGreaterThan(epochs[index] ?? 0);
      await eventually(`${name} is reminded`, 30_000, async () => (await show(client, name)).fired > shown.fired);
      const noted = async (n: number, requestId: string): Promise<readonly number[]> => {
        expect(await client.insist(`durable.${name}`, { type: 'note', n }, { requestId })).toMatchObject({ ok: true });
        return eventually(`${name} notes ${n}`, 30_000, async () => {
          const { notes } = await show(client, name);
          return notes.includes(n) && notes;
        });
      };
      // The next one comes behind all that was restored, each of which is noted once,
      const restoredNotes = (await noted(-1, 'fresh')).slice(0, -1);
      expect(restoredNotes, name).toEqual([...restoredNotes.keys()].map((at) => at + 1));
      // and a repeat of an old one changes nothing.
      const repeat = { type: 'note', n: 1 };
      expect(await client.insist(`durable.${name}`, repeat, { requestId: `note-${restoredNotes.length}` })).toMatchObject({ ok: true });
      expect(await noted(-2, 'fresher'), name).toEqual([...restoredNotes, -1, -2]);
    }
    await client.close();
  } finally {
    node.child.kill('SIGTERM');
    expect(await node.ended).toBe(0);
  }
});
