import { type DrillKind, rounds, waitOf } from './drill-kind.ts';
import { drained } from './purposes.ts';

export const rollingRestart: DrillKind = {
  name: 'rolling-restart',
  about: 'Every node is stopped and started again in turn, then every server, as in an upgrade: nothing acknowledged is lost.',
  promises: ['C4', 'C8', 'C10', 'M3', 'M7'],
  nodes: 3,
  servers: 3,
  minutes: 1.5,
  workloads: ['register', 'counter', 'list', 'letters'],
  faults: (random, durationMs) =>
    rounds(durationMs / 2, () => [
      { fault: 'restart', target: 'node', rolling: true, forMs: 1_000 },
      waitOf(random, 8_000, 10_000),
      { fault: 'restart', target: 'server', rolling: true, forMs: 1_000 },
      waitOf(random, 8_000, 10_000),
    ]),
  purposes: [drained],
};
