import { expect, test } from 'vitest';
import { form, LAYOUT } from '../../src/cluster/formation.ts';
import type { Stores } from '../../src/ports/stores.ts';
import { codec, names, outcome, storeWorld, TIME } from './stores.ts';

function cluster(faults = {}) {
  const world = storeWorld(faults);
  const { clock } = world;
  const forming = (stores: Stores, more: { readonly replicas?: number | undefined; readonly timeoutMs?: number } = {}) =>
    form({ stores, subjects: names, codec, clock, replicas: 1, timeoutMs: 30_000, storeMs: 1_000, ...more });
  return { ...world, forming, come: <T>(promise: Promise<T>) => outcome(clock, promise) };
}
/** As the store shows it to whoever asks, for one of its parts. */
const showing = (stores: Stores, name: string, info: Awaited<ReturnType<Stores['info']>>): Stores => ({
  ...stores,
  info: async (asked, options) => (asked === name ? info : stores.info(asked, options)),
});

test('it happens once: everybody agrees on what the first one wrote', async () => {
  const { stores, forming, come, clock } = cluster();
  const first = await come(forming(stores()));
  expect(first).toMatchObject({ layout: LAYOUT, replicas: 1 });
  await clock.advance(60_000);
  expect(await come(forming(stores('later')))).toEqual(first);
  expect(await come(forming(stores('any'), { replicas: undefined }))).toEqual(first);
});

test('twice at once, with slow and lost answers, it is one formation', async () => {
  for (const faults of [{}, { store: { delayMs: [0, 300] as const, unknownApplied: 0.2, unknownLost: 0.2 } }]) {
    const { stores, forming, come } = cluster(faults);
    const all = await come(Promise.all(['a', 'b', 'c', 'd'].map((name) => forming(stores(name)))));
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
  }
});

test('epochs begin at the time of formation, so a re-created cluster is above all earlier ones', async () => {
  const { stores, forming, come, clock } = cluster();
  const wallMs = clock.wallMs();
  const { firstSequence } = await come(forming(stores()));
  expect(firstSequence).toBeGreaterThanOrEqual(Math.floor(wallMs));
  const written = await come(stores().kv(names.store('AGENTS')).create('a.b', new Uint8Array(1), TIME));
  expect(written).toEqual({ written: 'yes', revision: firstSequence });
});

test('other replicas than it was formed with are refused, and said', async () => {
  const { stores, forming, come } = cluster();
  await come(forming(stores()));
  await expect(come(forming(stores(), { replicas: 3 }))).rejects.toMatchObject({
    code: 'store-misconfigured',
    fix: expect.stringContaining('--replicas 1'),
  });
});

test('once formed, a store that is missing, foreign or of another shape is an error that names it, never a new store', async () => {
  const { stores, forming, come, clock } = cluster();
  await come(forming(stores()));
  const name = names.store('STATE');
  const real = await come(stores().info(name, TIME));
  if (real === undefined) throw new Error('it is not there');
  for (const [info, message] of [
    [undefined, 'is missing'],
    [{ ...real, createdAtMs: real.createdAtMs + 1 }, 'created again'],
    [{ ...real, spec: { ...real.spec, replicas: 3 } }, '3 replica'],
  ] as const) {
    let ensured = 0;
    const shown = showing(stores(), name, info);
    const ensure: Stores['ensure'] = (...given) => {
      ensured++;
      return shown.ensure(...given);
    };
    const watched: Stores = { ...shown, ensure };
    await expect(come(forming(watched))).rejects.toMatchObject({
      code: 'store-misconfigured',
      message: expect.stringContaining(message),
      where: { store: name },
    });
    expect(ensured).toBe(0);
    await clock.advance(1_000);
  }
});

test('a store that is there with another configuration before the cluster was formed is refused', async () => {
  const { stores, forming, come } = cluster();
  await come(stores().ensure({ name: names.store('AGENTS'), kind: 'kv', replicas: 3 }, TIME));
  await expect(come(forming(stores()))).rejects.toMatchObject({ code: 'store-misconfigured', message: expect.stringContaining('AGENTS') });
});

test('a later layout is not touched', async () => {
  const { stores, forming, come, bucket } = cluster();
  const meta = await bucket(names.store('META'));
  await come(meta.create('forming', codec.encode({ layout: 99, replicas: 1, firstSequence: 5 }), TIME));
  await expect(come(forming(stores()))).rejects.toMatchObject({ code: 'unknown-version' });
});

/** What a release of layout 1 left: its three stores, and what it marked. */
async function formedByLayout1({ stores, bucket, come }: ReturnType<typeof cluster>) {
  const meta = await bucket(names.store('META'));
  const forming = { layout: 1, replicas: 1, firstSequence: 5 };
  await come(meta.create('forming', codec.encode(forming), TIME));
  const created: Record<string, number> = {};
  for (const store of ['AGENTS', 'MEMBERS', 'STATE'] as const) {
    const spec = { name: names.store(store), kind: 'kv', replicas: 1, ...(store === 'AGENTS' ? { firstSequence: 5 } : {}) } as const;
    await come(stores().ensure(spec, TIME));
    created[store] = (await come(stores().info(spec.name, TIME)))?.createdAtMs ?? 0;
  }
  await come(meta.create('formed', codec.encode({ ...forming, created }), TIME));
  return { meta, created, marked: async () => codec.decode((await come(meta.get('formed', TIME)))?.value ?? new Uint8Array(1)) };
}

test('a cluster of an older layout gets only what is new, and is marked by compare-and-set', async () => {
  const world = cluster();
  const { created, marked } = await formedByLayout1(world);
  const { stores, forming, come, clock } = world;
  const agents = stores().kv(names.store('AGENTS'));
  const written = await come(agents.create('a.b', new Uint8Array(1), TIME));
  await clock.advance(60_000);
  const ensured: string[] = [];
  const watched: Stores = {
    ...stores('later'),
    ensure: (spec, options) => {
      ensured.push(spec.name);
      return stores('later').ensure(spec, options);
    },
  };
  expect(await come(forming(watched))).toEqual({ layout: LAYOUT, replicas: 1, firstSequence: 5 });
  const added = ['SERVICES', 'JOURNAL', 'SNAPSHOTS', 'BLOBS', 'MAILBOX', 'DEAD', 'REMINDERS'] as const;
  expect(ensured).toEqual(added.map((store) => names.store(store)));
  expect(await marked()).toMatchObject({ layout: LAYOUT, firstSequence: 5, created: { ...created, SERVICES: expect.any(Number) } });
  expect(await come(agents.get('a.b', TIME))).toMatchObject(written.written === 'yes' ? { revision: written.revision } : {});
  ensured.length = 0;
  await come(forming(watched));
  expect(ensured).toEqual([]);
});

test('several that upgrade at once, with slow and lost answers, mark one and the same', async () => {
  for (const faults of [{}, { store: { delayMs: [0, 300] as const, unknownApplied: 0.2, unknownLost: 0.2 } }]) {
    const world = cluster();
    const { marked } = await formedByLayout1(world);
    Object.assign(world.network.faults.store, faults.store);
    const all = await world.come(Promise.all(['a', 'b', 'c'].map((name) => world.forming(world.stores(name)))));
    expect(new Set(all.map(({ layout }) => layout))).toEqual(new Set([LAYOUT]));
    Object.assign(world.network.faults.store, { delayMs: [0, 0], unknownApplied: 0, unknownLost: 0 });
    const services = await world.come(world.stores().info(names.store('SERVICES'), TIME));
    expect(await marked()).toMatchObject({ layout: LAYOUT, created: { SERVICES: services?.createdAtMs } });
  }
});

test('a store that a later layout added and somebody deleted is not created again', async () => {
  const { stores, forming, come } = cluster();
  await come(forming(stores()));
  const name = names.store('SERVICES');
  await expect(come(forming(showing(stores(), name, undefined)))).rejects.toMatchObject({
    code: 'store-misconfigured',
    message: 'SERVICES is missing',
  });
});

test('what a later release added is left alone and kept', async () => {
  const world = cluster();
  const { meta, created, marked } = await formedByLayout1(world);
  const { stores, forming, come } = world;
  const now = await come(meta.get('formed', TIME));
  const later = { layout: 7, replicas: 1, firstSequence: 5, created: { ...created, FUTURE: 3 }, more: 'of it' };
  await come(meta.update('formed', codec.encode(later), now?.revision ?? 0, TIME));
  expect(await come(forming(stores()))).toMatchObject({ layout: 7 });
  expect(await marked()).toMatchObject({ layout: 7, more: 'of it', created: { FUTURE: 3, SERVICES: expect.any(Number) } });
});

test('a store that does not answer is waited for, then unavailable', async () => {
  const { stores, forming, come, network } = cluster();
  network.faults.election(10_000);
  expect(await come(forming(stores()))).toMatchObject({ layout: LAYOUT });
  network.faults.election(1e9);
  await expect(come(forming(stores('other'), { timeoutMs: 5_000 }))).rejects.toMatchObject({ code: 'unavailable' });
});
