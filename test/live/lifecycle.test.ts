import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from './bare.ts';
import { granted } from './granted.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** A type whose state is one text in version 1 and a list of lines in version 2. */
const note = (version: 1 | 2): string => `import { command, defineAgent } from 'nexa';
import { z } from 'zod';
const text = z.object({ version: z.int(), lines: z.array(z.string()) });
const commands = { add: command({ line: z.string() }), read: command({}, { reply: text }), end: command({}) };
const activation = { onDemand: true, idleMs: 500 };
export const note = ${
  version === 1
    ? `defineAgent({ type: 'note', version: 1, commands, state: z.string(), initial: '', activation }).handle({
  add: ({ state }, { line }) => ({ state: state === '' ? line : state + '|' + line }),
  read: ({ state }) => ({ reply: { version: 1, lines: state.split('|') } }),
  end: () => ({ next: 'stop' }),
});`
    : `defineAgent({
  type: 'note', version: 2, commands, state: z.array(z.string()), initial: [], activation,
  upcast: { 1: (state) => String(state).split('|') },
}).handle({
  add: ({ state }, { line }) => ({ state: [...state, line] }),
  read: ({ state }) => ({ reply: { version: 2, lines: state } }),
  end: () => ({ next: 'stop' }),
});`
}
`;

let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
/** What a node finds that starts from now on. */
const install = (version: 1 | 2): Promise<void> => writeFile(join(folder.path, 'agents', 'note.ts'), note(version));
beforeAll(async () => {
  folder = await temporary();
  await mkdir(join(folder.path, 'agents'));
  await install(1);
  live = await liveCluster({ agents: join(folder.path, 'agents') });
});
afterAll(async () => {
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const rowOf = async (type: string, id: string): Promise<Row | undefined> =>
  (await live.client.list()).find((row) => row.type === type && row.id === id);
const becomes = (id: string, fits: (row: Row) => boolean, type = 'note') =>
  eventually(`${type}/${id} is as it should be`, 30_000, async () => {
    const row = await rowOf(type, id);
    return row !== undefined && fits(row) && row;
  });
const told = async (id: string, message: object) => {
  const answer = await eventually(`note/${id} answers`, 30_000, async () => {
    const tried = await live.client.ask(`agent.note.${id}`, message, { timeoutMs: 2_000 });
    return tried.ok && tried;
  });
  return answer.reply;
};
/** SIGKILL; resolves when its launcher has the next incarnation up. */
async function replace(node: string): Promise<void> {
  const from = live.events.length;
  live.signal(node, 'SIGKILL');
  await live.heard('ready', node, from);
}

test('L7: a stranger’s message spawns an agent; idle it is put away, and its next message goes on at the same epoch', async () => {
  /** Whoever lists it may not have heard of it yet, and idle it is put away again meanwhile. */
  const runs = () =>
    eventually('note/visited is read, and runs', 30_000, async () => {
      const { reply } = await granted(() => live.client.ask('agent.note.visited', { type: 'read' }));
      const row = await rowOf('note', 'visited');
      return row?.state === 'running' && { reply, row };
    });
  await granted(() => live.client.ask('agent.note.visited', { type: 'add', line: 'one' }, { requestId: 'once' }));
  const running = await runs();
  expect(running.row).toMatchObject({ why: 'its first message' });
  const startedMs = performance.now();
  await becomes('visited', ({ state }) => state === 'passive');
  report(`put away after ${Math.round(performance.now() - startedMs)} ms, with idleMs 500`);
  const again = await runs();
  expect(again.reply).toEqual({ version: 1, lines: ['one'] });
  expect(again.row).toMatchObject({ node: running.row.node, epoch: running.row.epoch });
});

test('L6: after a SIGKILL of their node permanent and transient agents are back with their state, temporary ones and those that had stopped are not', async () => {
  const kinds = ['permanent', 'transient', 'temporary'] as const;
  for (const restart of kinds) {
    for (const id of [restart, `${restart}-ended`]) {
      await granted(() => live.client.ask('spawn', { type: 'counter', id, restart, placement: { node: 'n1' } }));
      await granted(() => live.client.ask(`agent.counter.${id}`, { type: 'add', by: 3 }, { requestId: 'once' }));
    }
    expect(await live.client.ask('agents', { type: 'stop', agent: 'counter', id: `${restart}-ended` })).toEqual({ ok: true });
  }
  await replace('n1');
  for (const restart of kinds) {
    const wanted = restart === 'temporary' ? 'stopped' : 'running';
    await becomes(restart, ({ state }) => state === wanted, 'counter');
    // Whoever is asked first may still know it where it was lost.
    const answer = await eventually(`${restart} answers, or is nowhere`, 30_000, async () => {
      const tried = await live.client.ask(`agent.counter.${restart}`, { type: 'get' });
      return (tried.ok || tried.error.code === 'no-such-actor') && tried;
    });
    expect(answer).toMatchObject(
      wanted === 'running' ? { ok: true, reply: { value: 3 } } : { ok: false, error: { code: 'no-such-actor' } },
    );
    expect(await becomes(`${restart}-ended`, () => true, 'counter')).toMatchObject({ state: 'stopped', node: null });
  }
});

test('C11: an update of one node lifts the state there; no older node takes it back, and it waits for the next updated one', async () => {
  await told('kept', { type: 'add', line: 'one' });
  await install(2);
  await replace('n3');
  await install(1);
  // It goes to whom it may until version 2 has it: each time its node dies and comes back with version 1.
  await eventually('version 2 has it', 60_000, async () => {
    // It says so itself: a list may still show where it was, n3 before its update too.
    const { version } = await told('kept', { type: 'read' });
    const node = version === 1 && (await rowOf('note', 'kept'))?.node;
    if (node === 'n1' || node === 'n2') await replace(node);
    return version === 2;
  });
  expect(await told('kept', { type: 'read' })).toEqual({ version: 2, lines: ['one'] });
  await told('kept', { type: 'add', line: 'two' });

  await replace('n3');
  await becomes('kept', ({ state, why }) => state === 'unplaced' && why === 'no node runs version 2 of its type, or a later one');
  const refused = await eventually('note/kept is refused', 30_000, async () => {
    const tried = await live.client.ask('agent.note.kept', { type: 'read' }, { timeoutMs: 2_000 });
    expect(tried.ok).toBe(false);
    // As long as somebody still knows it on the lost node it is said to be lost.
    return !tried.ok && tried.error.code === 'unavailable' && tried;
  });
  expect(refused.error.definite).toBe(true);

  await install(2);
  await replace('n2');
  expect(await told('kept', { type: 'read' })).toEqual({ version: 2, lines: ['one', 'two'] });
  await becomes('kept', ({ node }) => node === 'n2');
});
