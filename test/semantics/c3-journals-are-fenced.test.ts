import { describe, expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { decodeRecord, encodeRecord, type JournalRecord } from '../../src/durable/journal-record.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { ledgers } from '../simulation/event-ledgers.ts';

type Cluster = Awaited<ReturnType<typeof calmCluster>>;
const codec = createCodec();
const TIME = { timeoutMs: 1_000 };
const journal = ({ world }: Cluster) => ({
  stream: world.network.connect('looker').stores.stream(world.subjects.store('JOURNAL')),
  subject: world.subjects.record('journal', 'ledger', 'l'),
});
async function stored(cluster: Cluster): Promise<readonly JournalRecord[]> {
  const { stream, subject } = journal(cluster);
  const records: JournalRecord[] = [];
  for (let fromSequence = 1; ; ) {
    const found = await cluster.world.until(stream.next(subject, { fromSequence, ...TIME }));
    if (found === undefined) return records;
    records.push(decodeRecord(found.record, codec, {}));
    fromSequence = found.sequence + 1;
  }
}
const last = async (cluster: Cluster): Promise<JournalRecord | undefined> => (await stored(cluster)).at(-1);
const add = (cluster: Cluster, item: string, from = 'n2') =>
  cluster.ask(from, 'ledger/l', { type: 'add', item }) as Promise<{ readonly count: number; readonly epoch: number }>;
const items = async (cluster: Cluster, from = 'n2'): Promise<readonly string[]> =>
  ((await cluster.ask(from, 'ledger/l', { type: 'read' })) as { readonly items: readonly string[] }).items;
const row = (cluster: Cluster, node = 'n2') =>
  cluster.world.until(cluster.member(node).agents.list({ limit: 100 })).then(({ agents }) => agents.find(({ type }) => type === 'ledger'));

describe('C3: every record of a journal carries its epoch, and the store refuses an older one', () => {
  test('the epoch of a record is the one its handler is shown, and rises with every owner; nothing acknowledged is lost', async () => {
    await using cluster = await calmCluster({ agents: [ledgers({ snapshotEvery: 3 }).agent] });
    const { world } = cluster;
    const { epoch } = await cluster.spawn('ledger', 'l', 'n1');
    for (const item of ['a', 'b', 'c', 'd']) expect(await add(cluster, item)).toMatchObject({ epoch });
    expect((await last(cluster))?.epoch).toBe(epoch);
    world.crash('n1', 10);
    await world.run(2_000);
    const later = await add(cluster, 'e');
    expect(later.count).toBe(5);
    expect(later.epoch).toBeGreaterThan(epoch);
    expect(await last(cluster)).toMatchObject({ epoch: later.epoch, events: [{ type: 'added', data: { item: 'e' } }] });
  });

  test('events that were begun before the agent moved are refused, whatever their owner believed of the time', async () => {
    const { agent, go } = ledgers();
    // Of all guards only the fence: this owner takes its lease to last for ever, and hears of nothing.
    const lasting = { ttlMs: 1e9, margin: 0.1, overMs: 1e9 };
    const cluster = await calmCluster({
      agents: [agent],
      timesOf: (name) => (name === 'n1' ? { ...DEFAULT_TIMES, ...lasting } : DEFAULT_TIMES),
    });
    await using _ = cluster;
    const { world } = cluster;
    await cluster.spawn('ledger', 'l', 'n1');
    await add(cluster, 'first');
    const asked = cluster.asking('n2', 'ledger/l', { type: 'hold', item: 'late' }, { timeoutMs: 60_000 });
    await world.run(100);
    world.network.faults.cutStore('n1');
    await world.run(9_000);
    expect(cluster.activated.at(-1)).toMatchObject({ agent: 'ledger/l', node: expect.stringMatching(/^n[23]$/) });
    go();
    await world.run(200);
    world.network.faults.heal('n1');
    await world.run(5_000);
    expect(asked.came).toMatchObject({ error: { definite: false } });
    expect(await items(cluster)).toEqual(['first']);
    const epochs = (await stored(cluster)).map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((one, other) => one - other));
  });
});

test('C3: an owner that reads of a later one stops itself, and says so', async () => {
  const fenced: unknown[] = [];
  const cluster = await calmCluster({
    agents: [ledgers().agent],
    onUp: (_node, member) => {
      member.system.events.subscribe((event) => {
        if (event.event === 'fenced') fenced.push(event.address, event.epoch);
      });
    },
  });
  await using _ = cluster;
  const { world } = cluster;
  const { epoch } = await cluster.spawn('ledger', 'l', 'n1');
  await add(cluster, 'kept');
  const { stream, subject } = journal(cluster);
  const fence: JournalRecord = { recordId: 'later', epoch: epoch + 1, n: 3, version: 1, events: [] };
  await world.until(stream.append(subject, encodeRecord(fence, codec), { recordId: 'later', ...TIME }));
  await expect(add(cluster, 'lost')).rejects.toMatchObject({ definite: false });
  expect(fenced).toEqual([{ kind: 'agent', type: 'ledger', id: 'l' }, epoch]);
  await world.run(15_000);
  expect(await items(cluster)).toEqual(['kept']);
  expect((await last(cluster))?.epoch).toBeGreaterThan(epoch);
});

describe('an event-sourced agent lives as one with durable state does', () => {
  test('put away, its next message replays it; stopped with forget, it begins anew', async () => {
    await using cluster = await calmCluster({ agents: [ledgers({ snapshotEvery: 2 }).agent] });
    const { world } = cluster;
    await cluster.spawn('ledger', 'l', 'n1');
    for (const item of ['a', 'b', 'c']) await add(cluster, item);
    await cluster.ask('n2', 'ledger/l', { type: 'leave' });
    await world.run(500);
    expect(await row(cluster)).toMatchObject({ state: 'passive' });
    expect(await items(cluster)).toEqual(['a', 'b', 'c']);
    await world.until(cluster.member('n2').agents.stop('ledger', 'l', { forget: true, timeoutMs: 5_000 }));
    await world.run(2_000);
    expect((await stored(cluster)).map(({ deleted, n }) => [deleted !== undefined, n > 4])).toEqual([[true, true]]);
    await cluster.spawn('ledger', 'l', 'n3');
    expect(await items(cluster)).toEqual([]);
  });

  test('events beyond its limit are refused without effect; a fold that throws fails its message, and stores nothing', async () => {
    await using cluster = await calmCluster({ agents: [ledgers({ stateBytes: 100 }).agent] });
    await cluster.spawn('ledger', 'l', 'n1');
    await add(cluster, 'kept');
    await expect(add(cluster, 'x'.repeat(200))).rejects.toMatchObject({ code: 'quota-exceeded', definite: true });
    await expect(cluster.ask('n2', 'ledger/l', { type: 'spoil' })).rejects.toMatchObject({ code: 'crashed' });
    await cluster.world.run(1_000);
    expect(await items(cluster)).toEqual(['kept']);
    expect((await stored(cluster)).flatMap(({ events }) => events)).toHaveLength(1);
  });

  test('what cannot be replayed quarantines it and nobody else, and stays as it is', async () => {
    await using cluster = await calmCluster({ agents: [ledgers().agent] });
    const { world } = cluster;
    await cluster.spawn('ledger', 'l', 'n1');
    await cluster.spawn('counter', 'c', 'n1');
    await add(cluster, 'kept');
    const { stream, subject } = journal(cluster);
    const before = await last(cluster);
    const spoilt: JournalRecord = { ...(before as JournalRecord), recordId: 'raw', n: 3, events: [{ type: 'spoilt', data: {} }] };
    await world.until(stream.append(subject, encodeRecord(spoilt, codec), { recordId: 'raw', ...TIME }));
    world.crash('n1', 10);
    await world.run(4_000);
    expect(await row(cluster)).toMatchObject({ state: 'quarantined' });
    expect(await cluster.ask('n2', 'counter/c', { type: 'add', by: 1 })).toEqual({ value: 1 });
    expect(await last(cluster)).toMatchObject({ recordId: 'raw' });
    await expect(add(cluster, 'more')).rejects.toMatchObject({ code: 'quarantined', definite: true });
  });

  test('a newer version lifts the events of an older one', async () => {
    const cluster = await calmCluster({ agents: [ledgers({ version: 2 }).agent] });
    await using _ = cluster;
    const { world } = cluster;
    const { stream, subject } = journal(cluster);
    const fence: JournalRecord = { recordId: 'r1', epoch: 1, n: 1, version: 1, begins: { config: undefined }, events: [] };
    const turn: JournalRecord = { recordId: 'r2', epoch: 1, n: 2, version: 1, events: [{ type: 'added', data: { item: 'old' } }] };
    for (const record of [fence, turn])
      await world.until(stream.append(subject, encodeRecord(record, codec), { recordId: record.recordId, ...TIME }));
    await cluster.spawn('ledger', 'l', 'n1');
    await add(cluster, 'new');
    expect(await items(cluster)).toEqual(['old', 'old', 'new']);
    expect((await last(cluster))?.version).toBe(2);
  });
});
