import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { done } from './purposes.ts';

export const killStoreLeader: DrillKind = {
  name: 'kill-store-leader',
  about: 'The server that leads the store is killed: a pause for its election, and nobody moves.',
  promises: ['C3', 'C4', 'C5', 'C10', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [{ fault: 'kill', target: 'store-leader', forMs: 12_000 }, waitOf(random, 8_000, 12_000)]),
  purposes: [done('kill-server', 'election')],
};
