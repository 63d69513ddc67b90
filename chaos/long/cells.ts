import type { Fault } from '../fault.ts';
import { PLAN_VERSION, type Plan } from '../plan.ts';

/** One of each kind that a cluster of three servers and three nodes has to live with, as a plan would say it. */
export const CELL_FAULTS: readonly Fault[] = [
  { fault: 'kill', target: 'node' },
  { fault: 'kill', target: 'node', silent: true, forMs: 12_000 },
  { fault: 'kill', target: 'node', many: 'all' },
  { fault: 'kill', target: 'store-leader', forMs: 8_000 },
  { fault: 'kill', target: 'store-follower', forMs: 8_000 },
  { fault: 'kill', target: 'server', many: 'majority', forMs: 8_000 },
  { fault: 'pause', target: 'node', forMs: 15_000 },
  { fault: 'pause', target: 'store-leader', forMs: 12_000 },
  { fault: 'partition', shape: 'minority', forMs: 12_000 },
  { fault: 'partition', shape: 'isolate', forMs: 12_000 },
  { fault: 'partition', shape: 'one-way', forMs: 12_000 },
  { fault: 'partition', shape: 'bridge', forMs: 12_000 },
  { fault: 'partition', shape: 'servers', forMs: 12_000 },
  { fault: 'partition', shape: 'stranded', forMs: 12_000 },
  { fault: 'loss', percent: 10, forMs: 12_000 },
  { fault: 'delay', delayMs: 100, jitterMs: 100, forMs: 12_000 },
  { fault: 'reset' },
  { fault: 'half-open', target: 'node', forMs: 12_000 },
  { fault: 'slow-consumer', forMs: 10_000 },
  { fault: 'clock-jump', byMs: 60_000 },
  { fault: 'clock-rate', rate: 2, forMs: 12_000 },
  { fault: 'disk-full', target: 'server', forMs: 8_000 },
  { fault: 'no-descriptors', forMs: 8_000 },
  { fault: 'block-loop', forMs: 8_000 },
  { fault: 'out-of-memory', forMs: 8_000 },
  { fault: 'starve', percent: 20, forMs: 12_000 },
  { fault: 'garbage', count: 500 },
  { fault: 'duplicates', forMs: 10_000 },
  { fault: 'lost-answers', forMs: 10_000 },
  { fault: 'restart', target: 'node', rolling: true },
  { fault: 'restart', target: 'server', rolling: true },
  { fault: 'flap', times: 5, everyMs: 1_500 },
  { fault: 'poison' },
  { fault: 'revoke', forMs: 10_000 },
  {
    fault: 'together',
    faults: [
      { fault: 'kill', target: 'node' },
      { fault: 'kill', target: 'store-leader', forMs: 8_000 },
    ],
  },
];

const CALM_MS = 5_000;

/** One fault again and again under one workload, each time healed. */
export function cellPlan(options: {
  readonly fault: Fault;
  readonly workload: string;
  readonly seed: number;
  readonly durationMs: number;
}): Plan {
  const { fault, workload, seed, durationMs } = options;
  const round: readonly Fault[] = [{ fault: 'wait', forMs: CALM_MS }, fault, { fault: 'heal' }];
  const rounds = Math.ceil(durationMs / CALM_MS);
  return {
    ...{ version: PLAN_VERSION, drill: 'cell', seed, world: 'processes', nodes: 3, servers: 3, durationMs },
    workloads: [workload],
    faults: Array.from({ length: rounds }, () => round).flat(),
  };
}
