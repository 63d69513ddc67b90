import { expect, test } from 'vitest';
import { z } from 'zod';
import { accountAgent } from '../../examples/02-bank-account.ts';
import { subscription } from '../../examples/07-reminder.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { form } from '../../src/cluster/formation.ts';
import { inspectFormation } from '../../src/cluster/formation-check.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { decodeState } from '../../src/durable/fenced-state.ts';
import { encodeRecord } from '../../src/durable/journal-record.ts';
import { NOTHING_KEPT } from '../../src/durable/kept.ts';
import { encodeSnapshot } from '../../src/durable/snapshot-record.ts';
import { codec, outcome, storeWorld, TIME } from '../cluster/stores.ts';
import { calmCluster } from '../simulation/cluster.ts';
import { type Kept, keepAll, parts, restoreAll } from './backup.ts';

/** Takes half a minute for each note, so that most of its messages wait. */
const slow = defineAgent({
  type: 'slow',
  version: 1,
  commands: { note: command({ n: z.int() }), notes: command({}, { reply: z.array(z.int()) }) },
  state: z.array(z.int()),
  initial: [],
}).handle({
  async note({ state, clock }, { n }) {
    await new Promise<void>((resolve) => void clock.after(30_000, resolve));
    return { state: [...state, n] };
  },
  notes: ({ state }) => ({ reply: [...state] }),
});
const agents = [accountAgent, subscription, slow];
type Durably = { tellDurably(message: object, options: object): Promise<void> };

/** A cluster at work: states, journals, mail that waits, reminders, a stopped agent, a temporary one. */
async function shop() {
  const cluster = await calmCluster({ agents });
  const { world, member, spawn, ask } = cluster;
  await spawn('counter', 'c', 'n1');
  await spawn('counter', 'once', 'n1', { restart: 'temporary' });
  await spawn('counter', 'over', 'n2');
  await spawn('account', 'a', 'n2', { config: { overdraftCents: 100 } });
  await spawn('slow', 's', 'n3');
  expect(await ask('n1', 'counter/c', { type: 'add', by: 5 }, { requestId: 'r1' })).toEqual({ value: 5 });
  await ask('n1', 'counter/over', { type: 'add', by: 1 });
  await world.until(member('n2').agents.stop('counter', 'over', { forget: false, timeoutMs: 5_000 }));
  for (let n = 0; n < 10; n++) await ask('n1', 'account/a', { type: 'deposit', cents: 10 });
  await ask('n1', 'subscription/x', { type: 'activate', everyMs: 60_000 });
  const ref = member('n1').system.unsafeRef<never>('nexa:slow/s') as unknown as Durably;
  for (const n of [1, 2, 3, 4]) await world.until(ref.tellDurably({ type: 'note', n }, { timeoutMs: 5_000, messageId: `m${n}` }));
  await world.run(5_000);
  return { ...cluster, parts: parts(world.network, world.clock, 'sim') };
}
const restored = (kept: Kept) =>
  calmCluster({ agents, seed: 2, before: (world) => world.until(restoreAll(parts(world.network, world.clock, 'sim'), kept)) });

test('a cluster is restored as it was: states, journals, mail, reminders, remembered requests; epochs are above all that were', async () => {
  const old = await shop();
  const kept = await old.world.until(keepAll(old.parts));
  await old.world.close();
  expect(kept.summary).toMatchObject({ corrupt: [], counts: { mail: 4, reminder: 1 } });
  const highest = Math.max(...old.activated.map(({ epoch }) => epoch));
  expect(kept.summary.highest).toBeGreaterThanOrEqual(highest);

  await using now = await restored(kept);
  await now.world.run(5_000);
  const { ask } = now;
  expect(await ask('n1', 'counter/c', { type: 'get' })).toEqual({ value: 5 });
  // A repeat of a request is known for one.
  expect(await ask('n1', 'counter/c', { type: 'add', by: 5 }, { requestId: 'r1' })).toEqual({ value: 5 });
  expect(await ask('n1', 'counter/c', { type: 'add', by: 1 })).toEqual({ value: 6 });
  expect(await ask('n2', 'account/a', { type: 'withdraw', cents: 150 })).toEqual({ cents: -50 });
  const { agents: rows } = await now.world.until(now.member('n1').agents.list({ limit: 100 }));
  expect(Object.fromEntries(rows.map(({ type, id, state }) => [`${type}/${id}`, state]))).toMatchObject({
    'counter/once': 'stopped',
    'counter/over': 'stopped',
    'counter/c': 'running',
    'slow/s': 'running',
  });
  expect(Math.min(...now.activated.map(({ epoch }) => epoch))).toBeGreaterThan(kept.summary.highest);
  await now.world.run(150_000);
  // The one that was being handled began anew, each counts once, in order.
  expect(await ask('n1', 'slow/s', { type: 'notes' })).toEqual([1, 2, 3, 4]);
  // It was declared once, and fires on.
  const found = await now.world.until(now.store('STATE').get('subscription.x', TIME));
  const { state } = decodeState(found?.value ?? new Uint8Array(), codec, 'subscription.x');
  expect((state as { charged: number }).charged).toBeGreaterThanOrEqual(2);
  expect((state as { charged: number }).charged).toBeLessThanOrEqual(3);
});

test('what is not empty is left alone: a cluster with agents, one with members, one whose epochs are below', async () => {
  const old = await shop();
  const kept = await old.world.until(keepAll(old.parts));
  const before = await old.world.until(keepAll(old.parts));
  const refused = { code: 'conflict', definite: true };
  await expect(old.world.until(restoreAll(old.parts, kept))).rejects.toMatchObject(refused);
  await old.world.close();
  expect(before.entries).toEqual(kept.entries);

  await using empty = await calmCluster({ agents, size: 1 });
  await expect(empty.world.until(restoreAll(parts(empty.world.network, empty.world.clock, 'sim'), kept))).rejects.toMatchObject(refused);

  const { clock, network, stores } = storeWorld();
  const names = subjects('sim');
  const { firstSequence } = await outcome(
    clock,
    form({ stores: stores(), subjects: names, codec, clock, replicas: 1, timeoutMs: 30_000, storeMs: 1_000 }),
  );
  const ahead = { ...kept, summary: { ...kept.summary, highest: firstSequence } };
  await expect(outcome(clock, restoreAll(parts(network, clock, 'sim'), ahead))).rejects.toMatchObject(refused);
  expect(await outcome(clock, stores().kv(names.store('STATE')).keys('', TIME))).toEqual([]);
  // The same into one that is not formed begins above.
  const fresh = storeWorld();
  const { formation } = await outcome(
    fresh.clock,
    restoreAll(parts(fresh.network, fresh.clock, 'sim'), { ...ahead, summary: { ...ahead.summary, highest: 2 ** 50 } }),
  );
  expect(formation.firstSequence).toBe(2 ** 50 + 1);
});

test('a damaged backup is found before anything is written; one that breaks off later leaves a cluster that nobody joins', async () => {
  const old = await shop();
  const kept = await old.world.until(keepAll(old.parts));
  await old.world.close();
  const { clock, network, stores } = storeWorld();
  const names = subjects('sim');
  const into = parts(network, clock, 'sim');
  const breaking = (pass: number): Kept => {
    let passes = 0;
    return {
      ...kept,
      get entries() {
        if (++passes === pass) throw new Error('planted');
        return kept.entries;
      },
    };
  };
  await expect(outcome(clock, restoreAll(into, breaking(1)))).rejects.toThrow('planted');
  expect(await outcome(clock, stores().info(names.store('META'), TIME))).toBeUndefined();
  await expect(outcome(clock, restoreAll(into, breaking(3)))).rejects.toThrow('planted');
  const join = form({ stores: stores(), subjects: names, codec, clock, replicas: 1, timeoutMs: 30_000, storeMs: 1_000 });
  await expect(outcome(clock, join)).rejects.toMatchObject({ code: 'store-misconfigured', message: expect.stringContaining('restore') });
  await expect(outcome(clock, restoreAll(into, kept))).rejects.toMatchObject({ code: 'store-misconfigured' });
  expect((await outcome(clock, inspectFormation(into))).finding).toMatchObject({
    verdict: 'failed',
    fix: expect.stringContaining('nexa restore'),
  });
  await expect(outcome(clock, keepAll(into))).rejects.toMatchObject({ code: 'store-misconfigured' });
});

test('records are taken byte for byte, corrupt ones too, and large snapshots with their objects', async () => {
  const { clock, network, stores } = storeWorld({ store: { delayMs: [0, 5], unknownApplied: 0.1, unknownLost: 0.1 } });
  const names = subjects('old');
  const all = stores();
  const come = <T>(promise: Promise<T>) => outcome(clock, promise);
  await come(form({ stores: all, subjects: names, codec, clock, replicas: 1, timeoutMs: 60_000, storeMs: 1_000 }));
  const put = async (store: 'STATE' | 'AGENTS' | 'SNAPSHOTS' | 'META', key: string, value: Uint8Array): Promise<void> => {
    const kv = all.kv(names.store(store));
    while ((await come(kv.get(key, TIME))) === undefined) await come(kv.create(key, value, TIME));
  };
  const rubbish = Uint8Array.of(0xc1, 0, 255);
  await put('STATE', 'counter.bad', rubbish);
  await put('AGENTS', 'counter.bad', rubbish);
  await put('STATE', 'no-agent', rubbish);
  await put('META', 'wish', rubbish);
  const object = new Uint8Array(600_000).fill(3);
  await come(all.blobs(names.store('BLOBS')).put('account.big.r5', object, { timeoutMs: 30_000 }));
  const snapshot = {
    recordId: 'r5',
    epoch: 50,
    n: 5,
    version: 1,
    sequence: 5,
    state: 'account.big.r5',
    kept: { ...NOTHING_KEPT, floor: 40 },
  };
  await put('SNAPSHOTS', 'account.big', encodeSnapshot(snapshot, codec));
  const record = encodeRecord(
    { recordId: 'r6', epoch: 60, n: 6, version: 1, events: [], source: { mail: { sequence: 70, messageId: 'm' } } },
    codec,
  );
  const journal = all.stream(names.store('JOURNAL'));
  await come(journal.append(names.record('journal', 'account', 'big'), record, { recordId: 'r6', ...TIME }));
  const kept = await come(keepAll(parts(network, clock, 'old')));
  expect(kept.summary.corrupt).toEqual(['counter.bad', 'no-agent']);
  expect(kept.entries.find((entry) => entry.kind === 'agent' && entry.agent === 'account.big')).toMatchObject({ floor: 70 });

  await come(restoreAll(parts(network, clock, 'new'), kept));
  const there = subjects('new');
  expect((await come(all.kv(there.store('STATE')).get('counter.bad', TIME)))?.value).toEqual(rubbish);
  expect((await come(all.kv(there.store('META')).get('wish', TIME)))?.value).toEqual(rubbish);
  expect(await come(all.kv(there.store('AGENTS')).get('counter.bad', TIME))).toBeUndefined();
  expect(await come(all.blobs(there.store('BLOBS')).get('account.big.r5', TIME))).toEqual(object);
  expect((await come(all.stream(there.store('JOURNAL')).last(there.record('journal', 'account', 'big'), TIME)))?.record).toEqual(record);
});
