import { receive } from '../../src/actor/behavior.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import type { Outcome } from '../../src/actor/signal.ts';
import type { System } from '../../src/actor/system.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { Member } from '../../src/cluster/member.ts';
import { letterOf } from '../../src/edge/letters.ts';
import type { LogRing } from '../../src/edge/log-ring.ts';
import { NexaError } from '../../src/errors.ts';
import type { Health, HealthMessage } from '../health/protocol.ts';
import type { MonitorMessage, Sample } from '../monitor/protocol.ts';
import type { DrainReport, NodeFacts, NodeInspection, NodeMessage, NodeRow, NodeStatus, Range } from './protocol.ts';
import { nodeTree } from './tree.ts';

const MONITOR_MS = 500;
const MOST_NODES = 1_000;
/** Samples of a minute. */
const MINUTE = 60;
const LETTERS = 20;
const MOST_PEERS = 200;
const STATES = { joining: 'starting', up: 'running', leaving: 'stopping', gone: 'gone' } as const satisfies Record<
  Member['state'],
  NodeRow['state']
>;

/** Answers for its node: how it is, whom it sees, what runs on it; and makes it leave. */
export function nodeActor(options: {
  readonly system: System;
  readonly cluster: Cluster;
  readonly monitor: ActorRef<MonitorMessage>;
  readonly health: ActorRef<HealthMessage>;
  readonly facts: () => NodeFacts;
  readonly logs: LogRing;
  /** Begins the graceful leave and returns at once. */
  readonly leave: () => void;
  readonly cordon: (on: boolean, within: { readonly timeoutMs: number }) => Promise<void>;
  readonly drain: (within: { readonly timeoutMs: number }) => Promise<DrainReport>;
}): Props<NodeMessage> {
  const { system, cluster, facts } = options;
  type Own =
    | NodeMessage
    | { readonly type: 'settled'; readonly settle: () => void }
    | { readonly type: 'measured'; readonly measured: Outcome<Measured>; readonly answer: (status: NodeStatus) => void };
  const props: Props<Own> = {
    behavior: () =>
      receive<Own>((context, message) => {
        switch (message.type) {
          case 'status': {
            const replyTo = context.replyTo(message);
            const answer = (status: NodeStatus): void => void replyTo.tell(status);
            return context.pipe(
              (signal) => measure(options, signal),
              (measured) => ({ type: 'measured', measured, answer }),
            );
          }
          case 'measured':
            return message.answer(statusOf(system, cluster, facts(), message.measured.ok ? message.measured.value : {}));
          case 'nodes':
            return context.reply(message, rowsOf(cluster));
          case 'tree':
            return context.reply(message, nodeTree(system));
          case 'settled':
            return message.settle();
          case 'cordon': {
            const replyTo = context.replyTo(message);
            return context.pipe(
              () => options.cordon(message.on, message),
              (done) => ({ type: 'settled', settle: () => void (done.ok ? replyTo.tell(null) : replyTo.refuse(done.error)) }),
            );
          }
          case 'drain': {
            const replyTo = context.replyTo(message);
            return context.pipe(
              () => options.drain(message),
              (done) => ({ type: 'settled', settle: () => void (done.ok ? replyTo.tell(done.value) : replyTo.refuse(done.error)) }),
            );
          }
          case 'inspect': {
            const replyTo = context.replyTo(message);
            const settle = (looked: Looked | undefined): void => void replyTo.tell(inspectionOf(system, cluster, facts(), looked));
            return context.pipe(
              (signal) => look(options, signal),
              (looked) => ({ type: 'settled', settle: () => settle(looked.ok ? looked.value : undefined) }),
            );
          }
          case 'logs': {
            const { level, limit, after } = message;
            return context.reply(message, options.logs.page({ level, limit, after }));
          }
          case 'leave':
            context.reply(message, null);
            return options.leave();
          default:
            return context.refuse(message, new NexaError('unknown-command', 'a node knows no such message'));
        }
      }),
  };
  return props as unknown as Props<NodeMessage>;
}

/** What others of this node say of it, as far as they answer. */
interface Measured {
  readonly sample?: Sample | undefined;
  readonly health?: Health | undefined;
}
interface Asked {
  readonly monitor: ActorRef<MonitorMessage>;
  readonly health: ActorRef<HealthMessage>;
}
async function measure({ monitor, health }: Asked, signal: AbortSignal): Promise<Measured> {
  const within = { timeoutMs: MONITOR_MS, signal };
  const [sample, found] = await Promise.all([
    monitor.ask({ type: 'latest' }, within).catch(() => undefined),
    health.ask({ type: 'health' }, within).catch(() => undefined),
  ]);
  return { sample, health: found };
}

const statusOf = (system: System, cluster: Cluster, facts: NodeFacts, { sample, health }: Measured): NodeStatus => ({
  ...cluster.self,
  ...facts,
  suspended: cluster.suspended,
  cordoned: cluster.cordoned,
  members: cluster.members.all().filter(({ state }) => state !== 'gone').length,
  agents: cluster.locals.count,
  unplaced: cluster.unplaced,
  admission: {
    level: cluster.admission.level,
    memory: cluster.admission.memory ?? null,
    maxAgents: cluster.admission.limits.maxAgents,
  },
  deadLetters: system.deadLetters.count,
  restarts: system.counters.restarts,
  lagMs: sample?.lagMs ?? null,
  rssBytes: sample?.rssBytes ?? null,
  cpu: sample?.cpu ?? null,
  health: health ?? null,
  atMs: system.clock.wallMs(),
  peers: cluster.peers.all().slice(0, MOST_PEERS),
  gaps: cluster.peers.gaps(),
});

/** What the monitor says: how the node is, and how it was. */
interface Looked {
  readonly latest: Sample;
  readonly history: readonly Sample[];
  readonly health: Health | undefined;
}
async function look({ monitor, health }: Asked, signal: AbortSignal): Promise<Looked> {
  const within = { timeoutMs: MONITOR_MS, signal };
  const [latest, history, found] = await Promise.all([
    monitor.ask({ type: 'latest' }, within),
    monitor.ask({ type: 'history', limit: MINUTE }, within),
    health.ask({ type: 'health' }, within).catch(() => undefined),
  ]);
  return { latest, history, health: found };
}
function inspectionOf(system: System, cluster: Cluster, facts: NodeFacts, measured: Looked | undefined): NodeInspection {
  const { latest, history = [] } = measured ?? {};
  const range = (of: (sample: Sample) => number): Range => {
    const values = history.map(of);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { least: Math.min(...values), mean: Math.round(mean * 1_000) / 1_000, most: Math.max(...values) };
  };
  return {
    status: statusOf(system, cluster, facts, { sample: latest, health: measured?.health }),
    sample: latest ?? null,
    lastMinute:
      latest === undefined
        ? null
        : {
            cpu: range(({ cpu }) => cpu),
            lagMs: range(({ lagMs }) => lagMs),
            rssBytes: range(({ rssBytes }) => rssBytes),
            turnsPerS: range(({ turnsPerS }) => turnsPerS),
          },
    deadLetters: system.deadLetters.list().slice(-LETTERS).map(letterOf),
  };
}

/** By name, those that are gone last: of a long past only so much fits into one answer. */
const rowsOf = ({ members, peers, self }: Cluster): readonly NodeRow[] =>
  [...members.all()]
    .sort((a, b) => Number(a.state === 'gone') - Number(b.state === 'gone') || (a.node < b.node ? -1 : 1))
    .slice(0, MOST_NODES)
    .map(({ node, incarnation, state, suspect, suspended, cordoned, admits, labels, capacity, version }): NodeRow => {
      const heard = members.beatOf(node);
      const beat = state !== 'gone' && heard?.incarnation === incarnation ? heard : undefined;
      const said = { pid: beat?.pid ?? null, agents: beat?.agents ?? null, lagMs: beat?.lagMs ?? null };
      const says = node === self.node ? peers.mine : peers.of(node);
      return {
        node,
        incarnation,
        state: STATES[state],
        suspect: suspect && state !== 'gone',
        ready: says?.ready ?? null,
        degraded: says?.degraded ?? null,
        suspended,
        cordoned,
        admits,
        labels,
        capacity,
        version,
        ...said,
      };
    });
