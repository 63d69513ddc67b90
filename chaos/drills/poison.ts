import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { putAside } from './purposes.ts';

export const poison: DrillKind = {
  name: 'poison',
  about: 'Messages that end their handler each time, garbage on every subject, frames again and in another order.',
  promises: ['M2', 'M4', 'M7', 'L2', 'C8'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['counter', 'letters', 'list', 'echo'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [
      { fault: 'poison' },
      waitOf(random, 3_000, 5_000),
      { fault: 'garbage', count: random.between(200, 1_000) },
      waitOf(random, 2_000, 4_000),
      { fault: 'duplicates', forMs: random.between(4_000, 8_000) },
      waitOf(random, 2_000, 4_000),
    ]),
  purposes: [putAside],
};
