import { type DrillKind, pick, rounds, waitOf } from './drill-kind.ts';
import { done } from './purposes.ts';

export const clockJump: DrillKind = {
  name: 'clock-jump',
  about: 'Wall clocks jump back and forth and run at double rate: leases and deadlines do not look at them.',
  promises: ['C2', 'C3', 'C10', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1,
  workloads: ['register', 'counter', 'lock', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs, () => [
      { fault: 'clock-jump', byMs: pick(random, -3_600_000, -60_000, 60_000, 86_400_000) },
      waitOf(random, 4_000, 7_000),
      { fault: 'clock-rate', rate: pick(random, 0.5, 2), forMs: random.between(6_000, 10_000) },
      waitOf(random, 1_000, 4_000),
    ]),
  purposes: [done('wall-jump')],
};
