import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { takenOver } from './purposes.ts';

export const flap: DrillKind = {
  name: 'flap',
  about: 'A node dies and comes back again and again, and new nodes join all at once and leave.',
  promises: ['C1', 'C2', 'C3', 'C5', 'C10', 'L2', 'M3'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [
      { fault: 'flap', target: 'node', times: random.between(3, 5), everyMs: random.between(1_000, 3_000) },
      waitOf(random, 8_000, 10_000),
      { fault: 'join-storm', count: 2, forMs: random.between(6_000, 9_000) },
      waitOf(random, 6_000, 8_000),
    ]),
  purposes: [takenOver],
};
