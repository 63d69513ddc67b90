import { describe, expect, test } from 'vitest';
import { encodeSnapshot, type SnapshotRecord } from '../../src/durable/snapshot-record.ts';
import { NexaError } from '../../src/errors.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { answering, codec, names, TIME } from '../cluster/stores.ts';
import { adding, journalWorld, listingOf } from './journals.ts';

const every = (events: number) => ({ snapshotEvery: { events, bytes: 1_000_000 } });
const BUCKET = { bucket: 'nexa_test_SNAPSHOTS', key: 'list.a' };

/** A journal whose record n holds item n, with a snapshot behind record 4 and two turns after it. */
async function snapshotted(more: object = {}) {
  const world = await journalWorld();
  const journal = await world.open(10, { ...every(4), ...more });
  for (const item of [2, 3, 4, 5, 6]) {
    await world.come(journal.commit(adding(journal, item)));
    await world.come(journal.settled());
  }
  return { ...world, journal };
}
const items = [2, 3, 4, 5, 6];

describe('a snapshot', () => {
  test('is written every so many events, and purges what it holds from the journal but its own last record', async () => {
    const { snapshot, records, open } = await snapshotted();
    expect(await snapshot()).toMatchObject({ epoch: 10, n: 4, version: 1, sequence: 4, state: codec.encode([2, 3, 4]) });
    expect((await records()).map(({ n }) => n)).toEqual([4, 5, 6]);
    expect((await open(20)).state).toEqual(items);
  });

  test('is written every so many bytes, and when fences alone have made a long tail', async () => {
    const bytes = await journalWorld();
    const journal = await bytes.open(10, { snapshotEvery: { events: 1_000, bytes: 10_000 } });
    await bytes.come(journal.commit(adding(journal, 'x'.repeat(12_000))));
    await bytes.come(journal.settled());
    expect(await bytes.snapshot()).toMatchObject({ n: 2 });
    const fences = await journalWorld();
    for (let epoch = 1; epoch <= 9; epoch++) await fences.come((await fences.open(epoch, every(4))).settled());
    expect((await fences.records()).length).toBeLessThanOrEqual(5);
  });

  test('keeps what the agent remembers', async () => {
    const { journal, open, come } = await snapshotted();
    await come(
      journal.commit({ ...adding(journal, 7), request: ['r', new Uint8Array([1])], source: { mail: { sequence: 3, messageId: 'm' } } }),
    );
    await come(journal.commit({ ...adding(journal, 8), source: { fired: { name: 'tick', declared: 'd', dueAtMs: 5 } } }));
    await come(journal.settled());
    expect((await open(20)).kept).toEqual(journal.kept);
  });

  test('is joined with the tail by n: where the record was is a hint that may be wrong', async () => {
    const { snapshot, snapshots, come, open } = await snapshotted();
    for (const [epoch, sequence] of [
      [20, 0],
      [30, 2],
      [40, 5],
      [50, 900],
    ] as const) {
      const stored = (await snapshot()) as SnapshotRecord;
      const revision = (await come(snapshots.get('list.a', TIME)))?.revision ?? 0;
      await come(snapshots.update('list.a', encodeSnapshot({ ...stored, sequence }, codec), revision, TIME));
      expect((await open(epoch)).state).toEqual(items);
    }
  });

  test('does not hold up turns, and of one agent there are never two under way', async () => {
    const world = await journalWorld();
    const stores = world.stores('owner');
    let writing = 0;
    let most = 0;
    const slow = {
      ...stores,
      kv: (name: string): Kv => {
        const kv = stores.kv(name);
        const slowly = async <T>(write: () => Promise<T>): Promise<T> => {
          most = Math.max(most, ++writing);
          await new Promise<void>((resolve) => world.clock.after(10_000, resolve));
          writing--;
          return write();
        };
        return { ...kv, create: (...given) => slowly(() => kv.create(...given)), update: (...given) => slowly(() => kv.update(...given)) };
      },
    };
    const journal = await world.open(10, { ...every(2), stores: slow });
    const beganMs = world.clock.monotonicMs();
    for (let item = 0; item < 20; item++) await world.come(journal.commit(adding(journal, item)));
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(5_000);
    expect(most).toBe(1);
    await world.come(journal.settled());
    expect((await world.open(20)).state).toHaveLength(20);
  });

  test('whose outcome is unknown is found again, or tried again; nothing is purged before it is acknowledged', async () => {
    for (const answers of [['stored, unknown'], ['lost', 'lost'], ['no', 'stored, unknown']] as ('lost' | 'stored, unknown' | 'no')[][]) {
      const world = await journalWorld();
      const stores = world.stores('owner');
      const order: string[] = [];
      const watched = {
        ...stores,
        kv: (name: string) => {
          const kv = answering(stores.kv(name), answers);
          return {
            ...kv,
            create: async (...given: Parameters<Kv['create']>) => {
              order.push('create');
              return kv.create(...given);
            },
          };
        },
        stream: (name: string) => {
          const stream = stores.stream(name);
          return {
            ...stream,
            purge: async (...given: Parameters<typeof stream.purge>) => {
              order.push('purge');
              return stream.purge(...given);
            },
          };
        },
      };
      const journal = await world.open(10, { ...every(2), stores: watched });
      await world.come(journal.commit(adding(journal, 1)));
      await world.come(journal.settled());
      expect(order.at(-1)).toBe('purge');
      expect(order.filter((step) => step === 'purge')).toHaveLength(1);
      expect(await world.snapshot()).toMatchObject({ n: 2 });
      expect((await world.open(20)).state).toEqual([1]);
    }
  });

  test('that a full store refuses is told once, again when that comes back later; turns go on, and what was owed is stored', async () => {
    const world = await journalWorld();
    const stores = world.stores('owner');
    let full = true;
    const filling = {
      ...stores,
      kv: (name: string): Kv => {
        const kv = stores.kv(name);
        const write = async <T>(go: () => Promise<T>): Promise<T> => {
          if (full) throw new NexaError('quota-exceeded', 'it takes no more', { where: { store: name } });
          return go();
        };
        return { ...kv, create: (...given) => write(() => kv.create(...given)), update: (...given) => write(() => kv.update(...given)) };
      },
    };
    const journal = await world.open(10, { ...every(2), stores: filling });
    const add = async (items: number): Promise<void> => {
      for (let item = 0; item < items; item++) {
        await world.come(journal.commit(adding(journal, item)));
        await world.come(journal.settled());
      }
    };
    await add(20);
    expect(world.warnings).toEqual(['quota-exceeded']);
    expect(await world.snapshot()).toBeUndefined();
    full = false;
    await add(2);
    expect(await world.snapshot()).toMatchObject({ n: 22 });
    full = true;
    await add(2);
    expect(world.warnings).toEqual(['quota-exceeded']);
    await world.clock.advance(60_000);
    await add(10);
    expect(world.warnings).toEqual(['quota-exceeded', 'quota-exceeded']);
    expect((await world.open(20)).state).toHaveLength(34);
  });

  test('of an owner that was fenced off never replaces a later one', async () => {
    const world = await journalWorld();
    const held: (() => void)[] = [];
    const stores = world.stores('owner');
    const late = {
      ...stores,
      kv: (name: string): Kv => {
        const kv = stores.kv(name);
        return {
          ...kv,
          create: async (...given) => {
            await new Promise<void>((resolve) => held.push(resolve));
            return kv.create(...given);
          },
        };
      },
    };
    const old = await world.open(10, { ...every(2), stores: late });
    await world.come(old.commit(adding(old, 1)));
    const owner = await world.open(20, every(2));
    for (const item of [2, 3, 4]) {
      await world.come(owner.commit(adding(owner, item)));
      await world.come(owner.settled());
    }
    const stored = await world.snapshot();
    held[0]?.();
    await world.come(old.settled());
    expect(await world.snapshot()).toEqual(stored);
    expect((await world.open(30)).state).toEqual([1, 2, 3, 4]);
  });

  test('above 512 kB its state is an object of its own; the one before is deleted once the new one is acknowledged', async () => {
    const world = await journalWorld();
    const journal = await world.open(10, every(2));
    const large = 'x'.repeat(300_000);
    const objects: unknown[] = [];
    for (const item of ['1', '2', '3', '4', '5']) {
      await world.come(journal.commit(adding(journal, large + item)));
      await world.come(journal.settled());
      const state = (await world.snapshot())?.state;
      if (typeof state === 'string' && !objects.includes(state)) objects.push(state);
      if ((journal.state as readonly unknown[]).length === 3) break;
    }
    expect(objects.length).toBeGreaterThan(0);
    expect(objects[0]).toMatch(/^list\.a\./);
    expect((await world.open(20)).state).toHaveLength(3);
    await world.come(world.blobs.delete(objects[0] as string, TIME));
    await expect(world.open(30)).rejects.toMatchObject({ code: 'corrupt-record', where: { ...BUCKET, object: objects[0] } });
    await world.forget(40);
    expect(await world.snapshot()).toBeUndefined();
  });
});

describe('a snapshot that does not fit the journal is told with its place, and nothing is overwritten', () => {
  const at = (sequence: string) => ({ stream: 'nexa_test_JOURNAL', subject: 'nexa.test.v1.journal.list.a', sequence });
  const unreadable = (stored: SnapshotRecord) => encodeSnapshot({ ...stored, state: new Uint8Array([0xc1]) }, codec);
  const cases: readonly [string, (stored: SnapshotRecord) => Uint8Array, string, object][] = [
    [
      'newer than the journal',
      (stored) => encodeSnapshot({ ...stored, recordId: 'later', n: 40 }, codec),
      'corrupt-record',
      { ...BUCKET, ...at('0') },
    ],
    [
      'of a record that the journal has not',
      (stored) => encodeSnapshot({ ...stored, recordId: 'other' }, codec),
      'corrupt-record',
      at('4'),
    ],
    ['that is none', () => new Uint8Array([0xc1]), 'corrupt-record', BUCKET],
    ['truncated', (stored) => encodeSnapshot(stored, codec).slice(0, -3), 'corrupt-record', BUCKET],
    ['with a state that cannot be read', unreadable, 'corrupt-record', BUCKET],
    ['of a layout of a later release', () => codec.encode([2, 'x']), 'unknown-version', BUCKET],
  ];
  test.each(cases)('%s', async (_what, spoilt, code, where) => {
    const { snapshot, snapshots, come, open, records } = await snapshotted();
    const stored = (await snapshot()) as SnapshotRecord;
    const revision = (await come(snapshots.get('list.a', TIME)))?.revision ?? 0;
    const bytes = spoilt(stored);
    await come(snapshots.update('list.a', bytes, revision, TIME));
    const before = await records();
    const error = await open(20).catch((thrown) => thrown);
    expect({ code: error.code, where: error.where }).toEqual({ code, where });
    expect(await records()).toEqual(before);
    expect((await come(snapshots.get('list.a', TIME)))?.value).toEqual(bytes);
  });

  test('one read early, before its journal shows the records, is only waited for', async () => {
    const { open, stores, stream } = await snapshotted();
    const given = stores('owner');
    let late = 6;
    const lagging = {
      ...given,
      stream: (name: string) => ({
        ...given.stream(name),
        last: (...args: Parameters<typeof stream.last>) => (late-- > 0 ? Promise.resolve(undefined) : given.stream(name).last(...args)),
      }),
    };
    expect((await open(20, { stores: lagging })).state).toEqual(items);
  });

  test('the owner before may purge while the next one reads: it starts over with the newer snapshot', async () => {
    const { open, journal, come, stores } = await snapshotted();
    const given = stores('owner');
    let once = true;
    const racing = {
      ...given,
      kv: (name: string): Kv => {
        const kv = given.kv(name);
        return {
          ...kv,
          get: async (...args) => {
            const found = await kv.get(...args);
            if (once && name === names.store('SNAPSHOTS')) {
              once = false;
              for (const item of [7, 8, 9, 10]) await journal.commit(adding(journal, item));
              await journal.settled();
            }
            return found;
          },
        };
      },
    };
    expect((await come(open(20, { stores: racing }))).state).toEqual([...items, 7, 8, 9, 10]);
  });
});

describe('versions', () => {
  const later = (lifts: boolean) => ({
    folding: { ...listingOf(2), lifts: () => lifts, lift: (state: unknown) => ['lifted', ...(state as readonly unknown[])] },
  });

  test('the snapshot of an older version is lifted where there is a way', async () => {
    const { open } = await snapshotted();
    expect((await open(20, later(true))).state).toEqual(['lifted', ...items]);
  });

  test('without a way the journal itself is replayed if it is whole, and refused if it is not', async () => {
    const { open, records } = await snapshotted();
    const before = await records();
    await expect(open(20, later(false))).rejects.toMatchObject({ code: 'corrupt-record', where: { ...BUCKET, field: 'upcastState' } });
    expect(await records()).toEqual(before);
    const world = await journalWorld();
    const stores = world.stores('owner');
    const unpurged = {
      ...stores,
      stream: (name: string) => ({ ...stores.stream(name), purge: async () => 'unknown' as const }),
    };
    const journal = await world.open(10, { ...every(2), stores: unpurged });
    for (const item of [1, 2, 3]) await world.come(journal.commit(adding(journal, item)));
    await world.come(journal.settled());
    expect(await world.snapshot()).toMatchObject({ n: 4, state: codec.encode([1, 2, 3]) });
    expect((await world.open(20, later(false))).state).toEqual([1, 2, 3]);
  });
});
