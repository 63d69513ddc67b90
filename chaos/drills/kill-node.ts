import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { takenOver } from './purposes.ts';

export const killNode: DrillKind = {
  name: 'kill-node',
  about: 'Nodes are killed, seen by their launchers or silently, and their agents answer elsewhere.',
  promises: ['C2', 'C3', 'C4', 'C5', 'C8', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, (index) => {
      const silent = index > 0 && random.next() < 0.4;
      return [{ fault: 'kill', target: 'node', silent, forMs: silent ? 12_000 : 5_000 }, waitOf(random, 4_000, 7_000)];
    }),
  purposes: [takenOver],
  firstOkMs: { seen: 2_000, silent: 8_000 },
};
