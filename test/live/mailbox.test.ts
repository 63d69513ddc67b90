import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { granted } from './granted.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

const LEDGER = `import { command, defineAgent } from 'nexa';
import { z } from 'zod';
export const ledger = defineAgent({
  type: 'ledger',
  version: 1,
  commands: { write: command({ n: z.int() }), fail: command({}), read: command({}, { reply: z.array(z.int()) }) },
  state: z.array(z.int()),
  initial: [],
  limits: { tries: 2 },
}).handle({
  write: ({ state }, { n }) => ({ state: [...state, n] }),
  fail: () => {
    throw new Error('it cannot');
  },
  read: ({ state }) => ({ reply: [...state] }),
});
`;
const HEAL_MS = 90_000;
const ids = Array.from({ length: 6 }, (_, index) => `l${index}`);
const stored = new Map(ids.map((id) => [id, 0]));
let folder: Awaited<ReturnType<typeof temporary>>;
let live: LiveCluster;
let sending = true;
let senders: Promise<unknown> = Promise.resolve();
let doubtful = 0;
let longestMs = 0;

/** A stranger in JSON: repeats each message under its id until it hears that it is stored, and then sends the next. */
async function send(id: string): Promise<void> {
  for (let n = 0; sending; n++) {
    const sinceMs = performance.now();
    for (;;) {
      const answer = await live.client.ask(`durable.ledger.${id}`, { type: 'write', n }, { timeoutMs: 1_500, requestId: `${id}-${n}` });
      if (answer.ok) break;
      doubtful++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    longestMs = Math.max(longestMs, performance.now() - sinceMs);
    stored.set(id, n + 1);
  }
}
const total = (): number => [...stored.values()].reduce((sum, count) => sum + count, 0);
const goesOn = (what: string): Promise<unknown> => {
  const before = new Map(stored);
  return eventually(what, HEAL_MS, () => ids.every((id) => (stored.get(id) ?? 0) > (before.get(id) ?? 0) + 1));
};
const read = async (id: string): Promise<readonly number[]> =>
  eventually(`${id} answers`, HEAL_MS, async () => {
    const answer = await live.client.ask(`agent.ledger.${id}`, { type: 'read' });
    return answer.ok ? (answer.reply as readonly number[]) : undefined;
  });
const count = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index);

beforeAll(async () => {
  folder = await temporary();
  const agents = join(folder.path, 'agents');
  await mkdir(agents);
  await writeFile(join(agents, 'ledger.ts'), LEDGER);
  live = await liveCluster({ servers: 3, agents });
  for (const id of ids) await granted(() => live.client.ask('spawn', { type: 'ledger', id, placement: { strategy: 'rendezvous' } }));
  senders = Promise.all(ids.map(send));
  senders.catch(() => undefined);
});
afterAll(async () => {
  sending = false;
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

test('M7: what a stranger was told is stored is handled exactly once and in order, through the SIGKILL of owners and of the server that leads the mailboxes', async () => {
  const begunMs = performance.now();
  await goesOn('every ledger takes messages');
  for (const node of ['n1', 'n2']) {
    const from = live.events.length;
    live.signal(node, 'SIGKILL');
    await goesOn(`messages are stored after ${node} was killed`);
    await live.heard('ready', node, from);
  }
  const leader = await eventually('somebody leads the mailboxes', HEAL_MS, async () => {
    const subject = `$JS.API.STREAM.INFO.nexa_${live.cluster}_MAILBOX`;
    const info = await live.client.nats.request(subject, undefined, { timeout: 5_000 }).catch(() => undefined);
    const said = info && (JSON.parse(new TextDecoder().decode(info.data)) as { readonly cluster?: { readonly leader?: string } });
    return live.servers.servers.find((server) => server.name === said?.cluster?.leader);
  });
  await leader.kill();
  await goesOn('messages are stored after the leading server was killed');
  await leader.start();
  await live.servers.ready(HEAL_MS);
  const from = live.events.length;
  live.signal('n3', 'SIGKILL');
  await goesOn('messages are stored after the last owner was killed');
  await live.heard('ready', 'n3', from);
  sending = false;
  await senders;
  const sentMs = performance.now() - begunMs;
  for (const id of ids) {
    const wanted = stored.get(id) ?? 0;
    const last = await eventually(`${id} has handled all ${wanted}`, HEAL_MS, async () => {
      const written = await read(id);
      return written.length >= wanted && written;
    });
    expect(last, id).toEqual(count(wanted));
  }
  report(
    `${total()} durable messages in ${Math.round(sentMs / 1_000)} s, ${doubtful} answers that were none, the slowest stored after ${Math.round(longestMs)} ms: each handled once and in order`,
  );
});

test('M7: a message that cannot be handled is put aside, those behind it go on, and it is mended and replayed by any NATS client', async () => {
  const before = (await read('l0')).length;
  for (const command of [{ type: 'fail' }, { type: 'write', n: -1 }]) {
    const stored = await granted(() => live.client.ask('durable.ledger.l0', command, { requestId: `aside-${command.type}` }));
    expect(stored).toMatchObject({ stored: true, messageId: expect.any(String) });
  }
  const last = async () => (await read('l0')).slice(before);
  await eventually('the one behind it is handled', HEAL_MS, async () => (await last()).length === 1);
  const deadOnes = async () => (await granted(() => live.client.ask('agents', { type: 'dead-list' }))).reply;
  const { dead } = await eventually('it is listed', HEAL_MS, async () => {
    const reply = await deadOnes();
    return reply.dead.length > 0 && reply;
  });
  expect(dead).toMatchObject([{ type: 'ledger', id: 'l0', command: 'fail', tries: 2, error: { code: 'crashed', message: 'it cannot' } }]);
  const { number } = dead[0];
  const edited = await live.client.ask('agents', { type: 'dead-edit', number, message: { type: 'write', n: -2 } }, { timeoutMs: 20_000 });
  expect(edited).toMatchObject({ ok: true });
  const replay = { type: 'dead-replay', number: edited.ok && edited.reply.number };
  expect(await live.client.ask('agents', replay, { timeoutMs: 20_000 })).toMatchObject({ ok: true });
  await eventually('it is handled', HEAL_MS, async () => (await last()).length === 2);
  expect(await last()).toEqual([-1, -2]);
  await expect.poll(deadOnes, { timeout: 30_000 }).toMatchObject({ dead: [], more: false });
});
