import type { ProcessLoad } from '../../actors/index.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import type { Subjects } from '../../src/cluster/subject.ts';
import { LogRing } from '../../src/edge/log-ring.ts';
import { publishEvents } from '../../src/edge/publish-events.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Transport } from '../../src/ports/transport.ts';
import type { MemberNode } from '../member.ts';
import { superviseNode } from '../trees/node-tree.ts';

/** Of a process that costs nothing: what this one uses is no part of a simulation. */
const NO_LOAD: ProcessLoad = {
  cpu: () => 0,
  rssBytes: () => 0,
  heapBytes: () => 0,
  externalBytes: () => 0,
  memoryLimitBytes: () => 2 ** 34,
  heapLimitBytes: () => 2 ** 32,
  lag: () => ({ p50Ms: 0, p99Ms: 0, maxMs: 0 }),
  nats: () => ({ messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 }),
};
const OK = { transport: 'ok', store: 'ok', lease: 'ok', copies: 'ok', recovery: 'ok', 'self-test': 'ok' } as const;

/** What a real node has besides for whoever looks from outside: its own actors answer, and it tells what happens on it. */
export function showNode(
  member: MemberNode,
  options: {
    readonly definitions: readonly AnyAgent[];
    readonly transport: Transport;
    readonly subjects: Subjects;
    readonly clock: Clock;
    readonly log: Logger;
    /** It leaves, as with SIGTERM. */
    readonly leave: () => void;
  },
): void {
  const { definitions, transport, subjects, clock, log, leave } = options;
  const { system, cluster } = member;
  publishEvents({ events: system.events, self: cluster.self, transport, subjects, clock, log });
  superviseNode(member, {
    definitions,
    load: NO_LOAD,
    logs: new LogRing(clock),
    checks: [],
    leave,
    cordon: (on, within) => cluster.cordon(on, within).then(() => undefined),
    drain: async (within) => {
      const { blocked, ...drained } = await cluster.drain(within);
      if (blocked === undefined) return { ...drained, blocked: null };
      const { type, id, version, placement } = blocked;
      return { ...drained, blocked: { type, id, version, labels: placement.labels ?? {} } };
    },
    facts: () => ({
      ...{ state: 'running', cluster: subjects.cluster, natsServers: [], server: 'memory', durability: 'memory', verified: true },
      ...{ replicas: 1, uptimeMs: 0, boot: 'simulated', ready: cluster.serves, degraded: [], subsystems: OK },
      selfTest: { verdict: 'ok', tookMs: 0, checks: [] },
    }),
  });
}
