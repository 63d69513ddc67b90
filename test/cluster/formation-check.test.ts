import { expect, test } from 'vitest';
import { form } from '../../src/cluster/formation.ts';
import { createMissing, inspectFormation } from '../../src/cluster/formation-check.ts';
import type { Stores } from '../../src/ports/stores.ts';
import { codec, names, outcome, storeWorld, TIME } from './stores.ts';

function cluster() {
  const world = storeWorld({});
  const { clock, stores } = world;
  const parts = (through: Stores = stores()) => ({ stores: through, subjects: names, codec, clock, storeMs: 1_000 });
  const come = <T>(promise: Promise<T>) => outcome(clock, promise);
  const forming = () => come(form({ ...parts(), replicas: 1, timeoutMs: 30_000 }));
  /** As if one store had been deleted, until somebody creates it. */
  const without = (name: string): Stores & { created: object[] } => {
    const real = stores();
    const created: object[] = [];
    const at = 1_900_000_000_000;
    return {
      ...real,
      created,
      info: async (asked, options) => {
        if (asked !== name) return real.info(asked, options);
        const spec = created[0] as never;
        return spec === undefined ? undefined : { spec, createdAtMs: at };
      },
      ensure: async (spec, options) => {
        if (spec.name !== name) return real.ensure(spec, options);
        created.push(spec);
        return 'created';
      },
    };
  };
  return { ...world, parts, come, forming, without };
}

test('a cluster that is as it was formed is ok', async () => {
  const { parts, come, forming } = cluster();
  await forming();
  const { formation, finding } = await come(inspectFormation(parts()));
  expect(formation).toMatchObject({ replicas: 1 });
  expect(finding).toMatchObject({ verdict: 'ok' });
});

test('what was never formed is a warning; stores without their record are a failure', async () => {
  const { parts, come, forming, without } = cluster();
  expect((await come(inspectFormation(parts()))).finding).toMatchObject({
    verdict: 'warning',
    message: expect.stringContaining('never formed'),
  });
  await forming();
  const lost = await come(inspectFormation(parts(without(names.store('META')))));
  expect(lost.finding).toMatchObject({ verdict: 'failed', message: expect.stringContaining('META is missing') });
});

test('a store that is missing, foreign or of another shape is named', async () => {
  const { parts, come, forming, stores } = cluster();
  await forming();
  const name = names.store('STATE');
  const real = await come(stores().info(name, TIME));
  if (real === undefined) throw new Error('it is not there');
  for (const [info, state] of [
    [undefined, 'missing'],
    [{ ...real, createdAtMs: real.createdAtMs + 1 }, 'foreign'],
    [{ ...real, spec: { ...real.spec, replicas: 3 } }, 'different'],
  ] as const) {
    const through = {
      ...stores(),
      info: async (asked: string, options: typeof TIME) => (asked === name ? info : stores().info(asked, options)),
    };
    const { stores: states, finding } = await come(inspectFormation(parts(through)));
    expect(states.filter((each) => each.state !== 'ok')).toMatchObject([{ store: 'STATE', state }]);
    expect(finding).toMatchObject({ verdict: 'failed', message: expect.stringContaining('STATE'), fix: expect.any(String) });
  }
});

test('repairing creates only what is missing, with epochs above all earlier ones, and marks it', async () => {
  const { parts, come, forming, without, clock } = cluster();
  const { firstSequence } = await forming();
  await expect(come(createMissing(parts(), 'AGENTS'))).rejects.toMatchObject({
    code: 'store-misconfigured',
    message: 'AGENTS is not missing',
  });
  await clock.advance(3_600_000);
  const through = without(names.store('AGENTS'));
  await come(createMissing(parts(through), 'AGENTS'));
  expect(through.created).toMatchObject([{ kind: 'kv', replicas: 1 }]);
  expect((through.created[0] as { firstSequence: number }).firstSequence).toBeGreaterThanOrEqual(firstSequence + 3_600_000);
  expect((await come(inspectFormation(parts(through)))).finding.verdict).toBe('ok');
  // The record of the formation now names the new one: the old one would be foreign.
  expect((await come(inspectFormation(parts()))).finding).toMatchObject({ verdict: 'failed' });
});
