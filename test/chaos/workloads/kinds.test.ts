import { describe, expect, test } from 'vitest';
import { operationFrom } from '../../../chaos/history-file.ts';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import type { WorkRecord } from '../../../chaos/workloads/work.ts';
import { inSimulation } from './in-simulation.ts';

/** As it is after years in a folder. */
const readAgain = (record: WorkRecord): WorkRecord => {
  const { operations, ...rest } = JSON.parse(JSON.stringify(record)) as WorkRecord;
  const refuse = (what: string): never => {
    throw new Error(what);
  };
  return { ...rest, operations: operations.map((each) => operationFrom(each, refuse)) };
};

describe.each(Object.values(WORKLOADS))('the workload $name', (kind) => {
  test.each([
    ['without a fault', false],
    ['when a node is killed', true],
  ])('holds %s, and is judged the same from what was written down', async (_, crash) => {
    const { record, judged, recovered, ended } = await inSimulation(kind, { crash });
    expect(judged.filter(({ verdict }) => verdict.verdict !== 'ok')).toEqual([]);
    expect(recovered).toBe(true);
    expect(record.operations.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(50);
    expect(ended).toHaveLength(record.operations.length);
    expect(kind.check(readAgain(record))).toEqual(judged);
  });

  test('comes to its end where nothing is left of the cluster, and passes nothing that it did not see', async () => {
    const { judged, recovered, record } = await inSimulation(kind, { crash: 'for good' });
    expect(recovered).toBe(false);
    expect(record.operations.filter(({ outcome }) => outcome !== 'ok').length).toBeGreaterThan(0);
    expect(judged.filter(({ verdict }) => verdict.verdict === 'bad')).toEqual([]);
    expect(judged.some(({ verdict }) => verdict.verdict === 'unknown') || kind.name === 'register').toBe(true);
  });

  test('asks the same under the same seed', async () => {
    const operations = async () => JSON.stringify((await inSimulation(kind, { crash: true, seed: 5, forMs: 3_000 })).record);
    expect(await operations()).toBe(await operations());
  });
});

test('a key that has had its operations makes room for a fresh one', async () => {
  const { record, judged } = await inSimulation(WORKLOADS.counter as never, { forMs: 120_000 });
  expect(Object.keys(record.agents).length).toBeGreaterThan(3);
  const perKey = new Map<number, number>();
  for (const { key } of record.operations) perKey.set(key, (perKey.get(key) ?? 0) + 1);
  expect(Math.max(...perKey.values())).toBeLessThanOrEqual(310);
  expect(judged.filter(({ verdict }) => verdict.verdict !== 'ok')).toEqual([]);
});
