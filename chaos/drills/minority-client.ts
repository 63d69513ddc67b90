import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { done } from './purposes.ts';

export const minorityClient: DrillKind = {
  name: 'minority-client',
  about: 'A server is cut off from its peers while nodes and clients still reach it: they find out, and go elsewhere.',
  promises: ['C2', 'C3', 'C5', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [{ fault: 'partition', shape: 'servers', forMs: 15_000 }, waitOf(random, 8_000, 12_000)]),
  purposes: [done('cut', 'strand')],
};
