import { describe, expect, test } from 'vitest';
import { WORKLOADS } from '../../../chaos/workloads/index.ts';
import { inSimulation } from './in-simulation.ts';

describe.each(Object.values(WORKLOADS))('$name', (kind) => {
  test.each([
    ['without a fault', false],
    ['when a node is killed', true],
  ])('holds %s', async (_, crash) => {
    const { record, judged, recovered, ended } = await inSimulation(kind, { crash });
    expect(judged.filter(({ verdict }) => verdict.verdict !== 'ok')).toEqual([]);
    expect(recovered).toBe(true);
    expect(record.operations.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(50);
    expect(ended).toHaveLength(record.operations.length);
  });
});
