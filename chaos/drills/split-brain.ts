import { type DrillKind, pick, rounds, waitOf } from './drill-kind.ts';
import { takenOver } from './purposes.ts';

export const splitBrain: DrillKind = {
  name: 'split-brain',
  about: 'The cluster is cut in two: one side goes on with all agents, on the other nobody acts.',
  promises: ['C1', 'C2', 'C3', 'C4', 'C6', 'C8', 'M3'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'lock'],
  faults: (random, durationMs) =>
    rounds(durationMs, (index) => [
      {
        fault: 'partition',
        shape: index === 0 ? 'minority' : pick(random, 'minority', 'halves', 'stranded', 'isolate'),
        forMs: random.between(12_000, 18_000),
      },
      waitOf(random, 8_000, 12_000),
    ]),
  purposes: [takenOver],
};
