import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { declaredGone, takenOver } from './purposes.ts';

export const pausePastLease: DrillKind = {
  name: 'pause-past-lease',
  about: 'Nodes stand still longer than their lease, and just under it: one that slept too long does nothing more, and ends.',
  promises: ['C1', 'C2', 'C3', 'C8', 'M3'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'lock'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [
      { fault: 'pause', target: 'node', forMs: random.between(10_000, 14_000) },
      waitOf(random, 6_000, 9_000),
      { fault: 'pause', target: 'node', forMs: random.between(3_500, 4_500) },
      waitOf(random, 2_000, 4_000),
    ]),
  purposes: [takenOver, declaredGone],
};
