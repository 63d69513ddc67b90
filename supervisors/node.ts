import { CHECKS, type HealthCheck, processAgent, processLabels, withThresholds } from '../actors/index.ts';
import type { EventStream } from '../src/actor/events.ts';
import { silentLogger } from '../src/actor/safe-logger.ts';
import { type ClusterTimes, DEFAULT_TIMES } from '../src/cluster/config.ts';
import type { OverReason } from '../src/cluster/fenced.ts';
import { type Formation, form } from '../src/cluster/formation.ts';
import { join } from '../src/cluster/join.ts';
import { memberKey, subjects as subjectsOf } from '../src/cluster/subject.ts';
import { LogRing } from '../src/edge/log-ring.ts';
import { publishEvents } from '../src/edge/publish-events.ts';
import { toNexaError } from '../src/errors.ts';
import type { CheckResult } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Random } from '../src/ports/random.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { VERSION, WIRE_VERSIONS } from '../src/version.ts';
import { allTypes } from './all-types.ts';
import type { Broker } from './broker.ts';
import { readEnvironment, serverList } from './config.ts';
import { admissionOf, processesOf } from './config-schema.ts';
import { nodeContainer } from './container.ts';
import { loopLag } from './loop-lag.ts';
import { type MemberOptions, startMember } from './member.ts';
import { nodeChecks } from './node-checks.ts';
import type { NexaNode, NodeOptions } from './node-contract.ts';
import { peersCheck } from './peers-check.ts';
import { memoryUsage } from './process-load.ts';
import { readiness } from './readiness.ts';
import { RunningNode } from './running-node.ts';
import { bootId, logResult, requirePassed, selfTest } from './self-test.ts';

/** What only this package's own programs give: a name already joined by a launcher, a broker that is shared, shorter times. */
export interface NodeInternals {
  readonly joined?: MemberOptions['joined'];
  readonly broker?: Broker;
  readonly times?: Partial<ClusterTimes>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Advertised and spoken; default: all of this release. */
  readonly wireVersions?: readonly number[];
  /** When writes reach the disk, where somebody could look. */
  readonly durability?: 'quorum' | 'fsync' | 'unverified';
  /** On every line of the log since the launcher began; default a fresh one, which the node adds to its own. */
  readonly boot?: string;
  /** What the node looks at of itself. Default: CHECKS. */
  readonly checks?: readonly HealthCheck[];
  /** As each check of the start is through. */
  readonly onCheck?: (result: CheckResult) => void;
}

const JOIN_MS = 30_000;
const START_MS = 30_000;

/**
 * Starts a node and joins the cluster; resolves when it is up. What is started is a list, and stopping runs it backwards.
 * @throws NexaError `disconnected`, `store-misconfigured`, `conflict` (the name is in use), `unknown-version`, `unavailable`, `invalid-definition`.
 */
export async function startNode(options: NodeOptions = {}): Promise<NexaNode> {
  return startNodeWith(options, {});
}

export async function startNodeWith(options: NodeOptions, internals: NodeInternals): Promise<NexaNode> {
  const environment = readEnvironment();
  const times: ClusterTimes = { ...DEFAULT_TIMES, ...internals.times };
  const name = options.name ?? freshName(internals.random ?? systemRandom);
  memberKey(name);
  const subjects = subjectsOf(options.cluster ?? environment.cluster ?? 'nexa');
  const own = allTypes(options.agents ?? []);
  const lookedAt = withThresholds(internals.checks ?? CHECKS, options.health ?? {});
  const admission = admissionOf(options.admission);
  const nats = options.nats ?? environment.natsUrl ?? 'memory';
  const boot = internals.boot ?? bootId(internals.random ?? systemRandom);
  const logs = new LogRing(internals.clock ?? systemClock);
  const kept = logs.keeping(options.log ?? silentLogger, internals.boot === undefined ? {} : { boot: internals.boot });
  let events: EventStream | undefined;
  const services = await nodeContainer({
    ...internals,
    name: `nexa ${name}`,
    nats: nats === 'memory' ? nats : serverList(nats),
    processes: processesOf(options.processes),
    publish: (event) => events?.publish(event),
    log: internals.boot === undefined ? kept.child({ boot }) : kept,
  });
  const { clock, random, log, codec, broker, engine, processes } = services;
  const programs = processAgent(processes);
  const runsPrograms = processes.processes.size > 0 && own.every(({ type }) => type !== programs.type);
  const definitions = runsPrograms ? [...own, programs] : own;

  const stops: (() => Promise<unknown>)[] = [];
  const unwind = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse())
      await stop().catch((error: unknown) => log.warn({ error: String(error) }, 'a part of the node did not stop cleanly'));
  };
  try {
    stops.push(() => broker.close());
    stops.push(async () => engine.stop());
    const { stores } = broker.control;
    let formation: Formation | undefined;
    const checks = nodeChecks({
      options,
      types: definitions.length,
      codec,
      broker,
      bucket: subjects.store('META'),
      durability: internals.durability,
      form: async (within) =>
        (formation = await form({ stores, subjects, codec, clock, replicas: options.replicas, storeMs: 2_000, ...within })),
    });
    const onResult = (result: CheckResult): void => {
      logResult(log, result);
      internals.onCheck?.(result);
    };
    const tested = await selfTest(checks, { clock, onResult });
    requirePassed(tested.checks);

    const session = internals.joined?.session ?? random.id();
    const labels = { ...options.labels, ...processLabels(processes.processes.keys()) };
    const capacity = options.capacity ?? 1;
    const wireVersions = internals.wireVersions ?? WIRE_VERSIONS;
    const record = {
      state: 'joining',
      session,
      cordoned: false,
      labels,
      capacity,
      version: VERSION,
      wireVersions,
      types: {},
    } as const;
    const members = stores.kv(subjects.store('MEMBERS'));
    const joined = internals.joined ?? (await join({ members, codec, clock, times }, name, record, { timeoutMs: JOIN_MS }));

    const lag = loopLag();
    stops.push(async () => lag.stop());
    let overBefore: OverReason | undefined;
    let over = (reason: OverReason): void => {
      overBefore = reason;
    };
    const member = await startMember(
      {
        node: name,
        joined: { ...joined, session },
        subjects,
        control: broker.control,
        data: broker.data,
        engine,
        clock,
        random,
        times,
        log,
        definitions,
        known: [programs],
        labels,
        capacity,
        mostActive: options.mostActive,
        admission,
        memory: memoryUsage(),
        pid: process.pid,
        lagMs: lag.sample,
        wireVersions,
        onOver: (reason) => over(reason),
      },
      { timeoutMs: START_MS },
    );
    events = member.system.events;
    stops.push(() => member.system.stop({ timeoutMs: 10_000 }));
    const { transport } = broker.data;
    const { missingStores } = broker;
    const ready = readiness({
      ...{ cluster: member.cluster, control: broker.control.transport, data: transport, missingStores },
      ...{ tested, checks, clock, log },
    });
    stops.push(async () => ready.stop());
    const pinged = selfTest([peersCheck(member)], {
      clock,
      onResult: (result) => {
        onResult(result);
        ready.add(result);
      },
    });
    const publishing = publishEvents({ events: member.system.events, self: member.cluster.self, transport, subjects, clock, log });
    stops.push(async () => publishing.stop());
    const node = new RunningNode(
      {
        name,
        subjects,
        broker,
        member,
        definitions,
        durability: broker.server === 'memory' ? 'memory' : (internals.durability ?? 'unverified'),
        replicas: formation?.replicas ?? 1,
        clock,
        log,
        logs,
        lag: lag.quantiles,
        checks: lookedAt,
        ready: ready.now,
        boot,
      },
      unwind,
    );
    over = (reason) => node.over(reason);
    await Promise.all([node.open(), pinged]);
    if (overBefore !== undefined) node.over(overBefore);
    return node;
  } catch (error) {
    await unwind();
    throw toNexaError(error, 'internal');
  }
}

const freshName = (random: Random): string =>
  `node-${random
    .id()
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 8)
    .toLowerCase()}`;
