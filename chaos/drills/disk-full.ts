import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { done } from './purposes.ts';

export const diskFull: DrillKind = {
  name: 'disk-full',
  about: 'The disks of the store are full, and free again: what was acknowledged stays, and it goes on.',
  promises: ['C3', 'C4', 'C6', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1.5,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, (index) => [
      { fault: 'disk-full', target: 'server', many: index % 2 === 0 ? 'all' : 'one', forMs: random.between(8_000, 12_000) },
      waitOf(random, 15_000, 20_000),
    ]),
  purposes: [done('fill-disk')],
};
