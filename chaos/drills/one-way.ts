import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { takenOver, withoutAnswer } from './purposes.ts';

export const oneWay: DrillKind = {
  name: 'one-way',
  about: 'A node hears and is not heard, or is heard and hears nothing: what it asked for is done, and nobody says so.',
  promises: ['C2', 'C3', 'C4', 'C8', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [
      { fault: 'partition', shape: 'one-way', forMs: random.between(9_000, 12_000) },
      waitOf(random, 6_000, 9_000),
      { fault: 'lost-answers', target: 'node', forMs: random.between(6_000, 10_000) },
      waitOf(random, 6_000, 9_000),
    ]),
  purposes: [takenOver, withoutAnswer],
};
