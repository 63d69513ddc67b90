import { expect, test } from 'vitest';
import { form } from '../../src/cluster/formation.ts';
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
  expect(first).toMatchObject({ layout: 1, replicas: 1 });
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

test('a store that does not answer is waited for, then unavailable', async () => {
  const { stores, forming, come, network } = cluster();
  network.faults.election(10_000);
  expect(await come(forming(stores()))).toMatchObject({ layout: 1 });
  network.faults.election(1e9);
  await expect(come(forming(stores('other'), { timeoutMs: 5_000 }))).rejects.toMatchObject({ code: 'unavailable' });
});
