import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeRecord, encodeRecord } from '../../src/durable/journal-record.ts';
import { granted } from './granted.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** Event-sourced agents on three real servers, all streams replicated. */
const ledger = `import { command, defineEventSourced } from 'nexa';
import { z } from 'zod';
export const ledger = defineEventSourced({
  type: 'ledger',
  version: 1,
  commands: { add: command({ item: z.int() }, { reply: z.object({ count: z.int() }) }), read: command({}, { reply: z.object({ items: z.array(z.int()) }) }) },
  events: { added: { item: z.int() } },
  state: z.object({ items: z.array(z.int()) }),
  initial: { items: [] },
  snapshotEvery: { events: 25 },
})
  .apply({ added: ({ items }, { item }) => ({ items: [...items, item] }) })
  .handle({
    add: (_context, { item }) => ({ events: [{ type: 'added', item }], reply: ({ items }) => ({ count: items.length }) }),
    read: ({ state }) => ({ reply: { items: [...state.items] } }),
  });
`;
const ids = ['j0', 'j1', 'j2', 'j3'];
const HEAL_MS = 90_000;
const TRY_MS = 1_500;
const codec = createCodec();

let live: LiveCluster;
let folder: Awaited<ReturnType<typeof temporary>>;
beforeAll(async () => {
  folder = await temporary();
  const agents = join(folder.path, 'agents');
  await mkdir(agents);
  await writeFile(join(agents, 'ledger.ts'), ledger);
  live = await liveCluster({ servers: 3, agents });
  const placement = { strategy: 'rendezvous' };
  for (const id of ids) await granted(() => live.client.ask('spawn', { type: 'ledger', id, spawnId: id, placement }));
}, 120_000);
afterAll(async () => {
  await live?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const rowOf = async (id: string) => (await live.client.list()).find((row) => row.type === 'ledger' && row.id === id);
const subjectOf = (id: string): string => `nexa.${live.cluster}.v1.journal.ledger.${id}`;
/** The node that runs it, by somebody who knows. */
const ownerOf = (id: string): Promise<string> =>
  eventually(`${id} has an owner`, HEAL_MS, async () => {
    const row = await rowOf(id);
    return row?.state === 'running' && row.node;
  });
const stream = (): string => `nexa_${live.cluster}_JOURNAL`;
/** Again as long as the servers do not answer, as while they elect. */
const api = (path: string, body: object) =>
  eventually(`${path} is answered`, HEAL_MS, async () => {
    const said = await live.client.nats.request(`$JS.API.${path}`, JSON.stringify(body), { timeout: 5_000 }).catch(() => undefined);
    const answer = said && JSON.parse(new TextDecoder().decode(said.data));
    return answer?.error === undefined && answer;
  });
async function lastOf(id: string): Promise<{ readonly seq: number; readonly bytes: Buffer }> {
  const { message } = await api(`STREAM.MSG.GET.${stream()}`, { last_by_subj: subjectOf(id) });
  return { seq: message.seq, bytes: Buffer.from(message.data, 'base64') };
}

/** Appends the next number under a request id that it repeats until it is acknowledged. */
class Writers {
  readonly written = new Map<string, number>();
  longestMs = 0;
  #stopped = false;
  readonly #running: Promise<unknown>;
  constructor() {
    this.#running = Promise.all(ids.map((id) => this.#write(id)));
    this.#running.catch(() => undefined);
  }
  get total(): number {
    return [...this.written.values()].reduce((sum, each) => sum + each, 0);
  }
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
  async goOn(): Promise<number> {
    const fromMs = performance.now();
    const before = new Map(this.written);
    await eventually('every journal takes events again', HEAL_MS, () =>
      ids.every((id) => (this.written.get(id) ?? 0) > (before.get(id) ?? 0) + 1),
    );
    return Math.round(performance.now() - fromMs);
  }
  async #write(id: string): Promise<void> {
    for (let item = 1; !this.#stopped; item++) {
      const fromMs = performance.now();
      await eventually(`${id} takes ${item}`, 2 * HEAL_MS, async () => {
        const tried = await live.client.ask(`agent.ledger.${id}`, { type: 'add', item }, { timeoutMs: TRY_MS, requestId: `${id}-${item}` });
        return tried.ok;
      });
      this.longestMs = Math.max(this.longestMs, performance.now() - fromMs);
      this.written.set(id, item);
    }
  }
}

test('C3, C4, C5: through SIGKILLs of owners and of the server that leads the journals every acknowledged event is there once, in order', async () => {
  const writers = new Writers();
  await writers.goOn();
  const owner = await ownerOf('j0');
  const from = live.events.length;
  live.signal(owner, 'SIGKILL');
  report(`SIGKILL of an owner of journals: events are taken again by all after ${await writers.goOn()} ms`);
  await live.heard('ready', owner, from);
  const leader = await eventually('somebody leads the journals', HEAL_MS, async () => {
    const { cluster } = await api(`STREAM.INFO.${stream()}`, {});
    return live.servers.servers.find((server) => server.name === cluster?.leader);
  });
  await leader.kill();
  report(`SIGKILL of the server that leads them: after ${await writers.goOn()} ms`);
  await leader.start();
  await live.servers.ready(HEAL_MS);
  const second = await ownerOf('j1');
  const again = live.events.length;
  live.signal(second, 'SIGKILL');
  await writers.goOn();
  // So that snapshots were made of some, and what is behind them forgotten.
  await eventually('more than a hundred are written', HEAL_MS, () => writers.total > 100);
  await writers.stop();
  for (const id of ids) {
    const answer = await eventually(`${id} is read`, HEAL_MS, async () => {
      const read = await live.client.ask(`agent.ledger.${id}`, { type: 'read' }, { timeoutMs: TRY_MS });
      return read.ok && read;
    });
    expect(answer.reply.items).toEqual(Array.from({ length: writers.written.get(id) ?? 0 }, (_, index) => index + 1));
  }
  const counts = await api(`STREAM.INFO.${stream()}`, { subjects_filter: subjectOf('*') });
  report(
    `${[...writers.written.values()]} events, longest ${Math.round(writers.longestMs)} ms; records left ${Object.values(counts.state.subjects)}`,
  );
  await live.heard('ready', second, again);
}, 240_000);

test('what somebody else writes into a journal quarantines that agent, names the place, and stays; the others go on', async () => {
  const spoil: Readonly<Record<string, (last: Buffer) => Uint8Array>> = {
    garbage: () => Uint8Array.of(0xc1, 0xff, 0x00),
    cut: (last) => last.subarray(0, last.length - 3),
    later: () => codec.encode([2, 'raw']),
    odd: (last) => {
      const record = decodeRecord(last, codec, {});
      return encodeRecord({ ...record, recordId: 'raw', n: record.n + 1, events: [{ type: 'odd', data: {} }] }, codec);
    },
  };
  for (const [id, bytes] of Object.entries(spoil)) {
    // At a named node: one that moves reads what is there before it writes, and is refused otherwise.
    await granted(() => live.client.ask('spawn', { type: 'ledger', id, placement: { node: 'n1' } }));
    await granted(() => live.client.ask(`agent.ledger.${id}`, { type: 'add', item: 1 }, { requestId: 'first' }));
    await live.client.nats.request(subjectOf(id), bytes((await lastOf(id)).bytes), { timeout: 5_000 });
    const there = await lastOf(id);
    const tried = await live.client.ask(`agent.ledger.${id}`, { type: 'add', item: 2 }, { timeoutMs: 5_000 });
    const where = { stream: stream(), subject: subjectOf(id), sequence: String(there.seq) };
    // What can be read is taken for a later owner's first; its successor finds that it does not fold.
    if (id !== 'odd')
      expect(tried).toMatchObject({ ok: false, error: { code: id === 'later' ? 'unknown-version' : 'corrupt-record', where } });
    const row = await eventually(`${id} is put aside`, 30_000, async () => {
      const found = await rowOf(id);
      return found?.state === 'quarantined' && found;
    });
    report(`${id}: ${row.why}`);
    expect(await lastOf(id)).toEqual(there);
  }
  for (const id of ids) await granted(() => live.client.ask(`agent.ledger.${id}`, { type: 'read' }));
}, 180_000);
