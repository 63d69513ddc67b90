import { type DrillKind, rounds, waitOf } from './drill-kind.ts';

export const slowConsumer: DrillKind = {
  name: 'slow-consumer',
  about: 'Somebody subscribes to everything and reads nothing: the servers drop it, and nobody else notices.',
  promises: ['B1', 'M3', 'C5'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [{ fault: 'slow-consumer', forMs: random.between(10_000, 15_000) }, waitOf(random, 3_000, 6_000)]),
  purposes: [],
};
