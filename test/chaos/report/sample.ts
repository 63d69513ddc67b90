import type { Judged } from '../../../chaos/checkers/judged.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { Heard, Run } from '../../../chaos/run.ts';
import type { WorkRecord } from '../../../chaos/workloads/work.ts';
import { failed, ok } from '../support.ts';

const event = (atMs: number, node: string, kind: string, more: object): Heard => ({
  atMs,
  event: { event: kind, node, incarnation: 1, n: 1, atMs: 1_700_000_000_000 + atMs, ...more },
});
const agent = (key: number): string => `counter/c${key}`;
export const named = (key: number) => ({ type: 'counter', id: `c${key}` });

/** Six agents, two on each of three nodes, are asked every 100 ms; n2 is killed at 10 s, its two answer again 400 and 600 ms later. */
function operations(): Operation<unknown, unknown>[] {
  return Array.from({ length: 6 }, (_, key) => key).flatMap((key) =>
    Array.from({ length: 300 }, (_, index): Operation<unknown, unknown> => {
      const atMs = index * 100;
      const op = { type: 'add', by: 1 };
      const times = [atMs, atMs + 4 + (index % 7)] as const;
      const more = { key, requestId: `${key}-${index}` };
      const backMs = key === 2 ? 10_400 : key === 3 ? 10_600 : 0;
      if (atMs < 10_000 || atMs >= backMs) return ok(times, op, { value: index }, more);
      return atMs === 10_000 ? failed([atMs, atMs + 90], op, 'info', more) : failed(times, op, 'fail', more);
    }),
  );
}

const owned = (key: number, epoch: number, node: string, atMs: number, cause: string) => ({
  ...{ agent: agent(key), epoch, by: node.includes('.') ? node : `${node}.1`, what: 'record', log: 'AGENTS', atMs, cause },
});
const placed = (atMs: number, nodes: readonly string[], epochs: readonly number[]) => ({
  atMs,
  agents: nodes.map((node, key) => ({ agent: agent(key), node, epoch: epochs[key] as number })),
});

export function sampleRun(more: Partial<Run> = {}): Run {
  const work: WorkRecord = {
    workload: 'counter',
    operations: operations(),
    asked: [],
    agents: Object.fromEntries(Array.from({ length: 6 }, (_, key) => [key, agent(key)])),
    finals: {},
    notes: null,
    untilMs: 30_000,
  };
  return {
    plan: {
      ...{ version: 1, drill: 'kill-node', seed: 7, world: 'processes', nodes: 3, servers: 3, durationMs: 30_000 },
      workloads: ['counter'],
      faults: [{ fault: 'kill', target: 'node', forMs: 5_000 }, { fault: 'heal' }],
    },
    tier: 'namespaces',
    startedAt: '2026-03-01T12:00:00.000Z',
    versions: { nexa: '0.1.0', node: 'v20.19.0', 'nats-server': '2.15.1', kernel: 'Linux 6.1' },
    faults: [
      { fault: { fault: 'kill', target: 'node', forMs: 5_000 }, fromMs: 9_998, untilMs: 15_000, met: ['n2'] },
      {
        fault: { fault: 'disk-full', target: 'server', forMs: 1_000 },
        fromMs: 15_000,
        untilMs: 15_000,
        met: [],
        skipped: 'no mounts here',
      },
      { fault: { fault: 'heal' }, fromMs: 15_000, untilMs: 20_000, met: [] },
    ],
    acts: [
      { act: { act: 'kill-node', node: 'n2', silent: false }, fromMs: 9_999, untilMs: 10_000 },
      { act: { act: 'heal' }, fromMs: 15_000, untilMs: 15_010 },
    ],
    works: [work],
    events: [
      event(10_039, 'n1', 'member', { member: { node: 'n2', incarnation: 1, state: 'gone' } }),
      event(10_099, 'n1', 'activated', { agent: named(2), epoch: 20 }),
      event(10_099, 'n1', 'moved', { agent: named(2), from: 'n2', to: 'n1', epoch: 20, cause: 'crash' }),
      event(10_299, 'n3', 'activated', { agent: named(3), epoch: 21 }),
      event(10_299, 'n3', 'moved', { agent: named(3), from: 'n2', to: 'n3', epoch: 21, cause: 'crash' }),
      event(10_500, 'n1', 'dead-letter', { agent: named(2), reason: 'no-actor' }),
      event(12_000, 'n3', 'fenced', { agent: named(3), epoch: 12 }),
      event(14_000, 'n2', 'moved', { agent: named(4), from: 'n3', to: 'n2', epoch: 22, cause: 'rebalance' }),
    ],
    placements: [
      placed(9_000, ['n1', 'n1', 'n2', 'n2', 'n3', 'n3'], [10, 11, 12, 13, 14, 15]),
      placed(15_000, ['n1', 'n1', 'n1', 'n3', 'n2', 'n1'], [10, 11, 20, 21, 22, 23]),
    ],
    records: [
      ...['n1', 'n1', 'n2', 'n2', 'n3', 'n3'].map((node, key) => owned(key, 10 + key, node, -1_000, 'spawn')),
      owned(2, 20, 'n1', 10_090, 'crash'),
      owned(3, 21, 'n3', 10_290, 'crash'),
      owned(4, 22, 'n2.2', 14_000, 'rebalance'),
      // Nothing had been done to n3.
      owned(5, 23, 'n1', 14_500, 'lease'),
    ],
    exits: [{ place: 'n2', atMs: 10_001, code: null, signal: 'SIGKILL' }],
    healedAtMs: 15_010,
    recoveredAtMs: 16_260,
    endedAtMs: 30_500,
    views: { n1: ['n1', 'n2', 'n3'], n2: ['n1', 'n2', 'n3'], n3: ['n1', 'n2', 'n3'] },
    queues: { mail: 0 },
    leaks: [],
    incomplete: [],
    ...more,
  };
}

export const good: readonly Judged[] = [
  { promise: 'C3', by: 'epochs of records', verdict: { verdict: 'ok' } },
  { promise: 'M3', by: 'one outcome of counter', verdict: { verdict: 'ok' } },
  { promise: 'C8', by: 'exactly once of counter', verdict: { verdict: 'ok' } },
  { promise: 'C8', by: 'created once of churn', verdict: { verdict: 'ok' } },
];
