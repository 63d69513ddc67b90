import { type DrillKind, pick, rounds, waitOf } from './drill-kind.ts';
import { suspended } from './purposes.ts';

export const storeBlink: DrillKind = {
  name: 'store-blink',
  about: 'The store is away for seconds: agents suspend and go on where they were, and nobody moves.',
  promises: ['C4', 'C6', 'C10', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, (index) => [
      {
        fault: 'pause',
        target: 'server',
        many: index === 0 ? 'all' : pick(random, 'one', 'majority', 'all'),
        forMs: random.between(7_000, 15_000),
      },
      waitOf(random, 12_000, 16_000),
    ]),
  purposes: [suspended],
};
