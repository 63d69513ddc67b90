import { builtins, CHECKS, type HealthCheck, processAgent, processLabels, withThresholds } from '../actors/index.ts';
import type { EventStream } from '../src/actor/events.ts';
import type { Message } from '../src/actor/message.ts';
import type { Receptionist } from '../src/actor/receptionist.ts';
import { silentLogger } from '../src/actor/safe-logger.ts';
import type { Topic } from '../src/actor/topic.ts';
import type { Agents } from '../src/agent/agents.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import type { AgentRef, Commands, Protocol } from '../src/agent/protocol.ts';
import { type ClusterTimes, DEFAULT_TIMES } from '../src/cluster/config.ts';
import type { Drained } from '../src/cluster/drain.ts';
import { type Formation, form } from '../src/cluster/formation.ts';
import { join } from '../src/cluster/join.ts';
import { memberKey, subjects as subjectsOf } from '../src/cluster/subject.ts';
import { LogRing } from '../src/edge/log-ring.ts';
import { type PublicEdge, publicEdge } from '../src/edge/public-edge.ts';
import { publishEvents } from '../src/edge/publish-events.ts';
import { NexaError, toNexaError } from '../src/errors.ts';
import type { CheckResult } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { VERSION, WIRE_VERSIONS } from '../src/version.ts';
import type { Broker } from './broker.ts';
import { readEnvironment, serverList } from './config.ts';
import { processesOf } from './config-schema.ts';
import { nodeContainer } from './container.ts';
import { type LoopLag, loopLag } from './loop-lag.ts';
import { type MemberNode, startMember } from './member.ts';
import { nodeChecks } from './node-checks.ts';
import type { NexaNode, NodeOptions, NodeState } from './node-contract.ts';
import { wayTo } from './node-state.ts';
import { peersCheck } from './peers-check.ts';
import { processLoad } from './process-load.ts';
import { publicHandlers } from './public-handlers.ts';
import { type Readiness, readiness } from './readiness.ts';
import { bootId, logResult, requirePassed, selfTest } from './self-test.ts';
import { superviseNode } from './trees/node-tree.ts';

/** What only this package's own programs give: a name already joined by a launcher, a broker that is shared, shorter times. */
export interface NodeInternals {
  readonly joined?: { readonly incarnation: number; readonly revision: number; readonly session: string };
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
/** A graceful leave: agents finish their messages and are given back. */
const LEAVE_MS = 25_000;
const CLOSE_MS = 2_000;
const CORDON_MS = 5_000;

/**
 * Starts a node and joins the cluster; resolves when it is up. What is started is a list, and stopping runs it backwards.
 * @throws NexaError `disconnected`, `store-misconfigured`, `conflict` (the name is in use), `unavailable`, `invalid-definition`.
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
    let overBefore: 'declared-gone' | 'not-renewed' | undefined;
    let over = (reason: 'declared-gone' | 'not-renewed'): void => {
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
    const ready = readiness({ cluster: member.cluster, control: broker.control.transport, data: transport, tested, checks, clock, log });
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

function allTypes(own: readonly AnyAgent[]): readonly AnyAgent[] {
  const types = new Map(builtins.map((definition) => [definition.type, definition]));
  const seen = new Set<string>();
  for (const definition of own) {
    if (seen.has(definition.type)) {
      throw new NexaError('invalid-definition', `two definitions of the agent type ${definition.type}`, {
        where: { type: definition.type },
        fix: 'Give one of them another type.',
      });
    }
    seen.add(definition.type);
    // A user's own type goes before a built-in one of the same name.
    types.set(definition.type, definition);
  }
  return [...types.values()];
}

interface Parts {
  readonly name: string;
  readonly subjects: ReturnType<typeof subjectsOf>;
  readonly broker: Broker;
  readonly member: MemberNode;
  readonly definitions: readonly AnyAgent[];
  readonly durability: 'memory' | 'quorum' | 'fsync' | 'unverified';
  readonly replicas: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: LogRing;
  readonly lag: LoopLag['quantiles'];
  readonly checks: readonly HealthCheck[];
  readonly ready: () => Readiness;
  readonly boot: string;
}

class RunningNode implements NexaNode {
  readonly name: string;
  readonly incarnation: number;
  readonly done: Promise<void>;
  #state: NodeState = 'starting';
  readonly #parts: Parts;
  readonly #unwind: () => Promise<void>;
  #edge: PublicEdge | undefined;
  #stopping: Promise<void> | undefined;
  #end: { resolve: () => void; reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };

  constructor(parts: Parts, unwind: () => Promise<void>) {
    this.#parts = parts;
    this.#unwind = unwind;
    this.name = parts.name;
    this.incarnation = parts.member.cluster.self.incarnation;
    this.done = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.done.catch(() => undefined);
  }

  get state(): NodeState {
    return this.#state;
  }
  #become(state: NodeState): void {
    for (const next of wayTo(this.#state, state)) {
      const before = this.#state;
      this.#state = next;
      this.system.events.publish({ event: 'node-state', node: this.name, state: next, before });
    }
  }
  get receptionist(): Receptionist {
    return this.#parts.member.cluster.receptionist;
  }
  get system(): MemberNode['system'] {
    return this.#parts.member.system;
  }

  async open(): Promise<void> {
    const { member, broker, subjects, clock, log, definitions } = this.#parts;
    const { cluster } = member;
    const startedAtMs = clock.monotonicMs();
    const refs = superviseNode(member, {
      definitions,
      load: { ...processLoad(), lag: this.#parts.lag, nats: () => broker.traffic() },
      logs: this.#parts.logs,
      checks: this.#parts.checks,
      leave: () => void this.stop(),
      cordon: (on, within) => this.#cordon(on, within),
      drain: async (within) => {
        const { blocked, ...drained } = await this.#drain(within);
        if (blocked === undefined) return { ...drained, blocked: null };
        const { type, id, version, placement } = blocked;
        return { ...drained, blocked: { type, id, version, labels: placement.labels ?? {} } };
      },
      facts: () => ({
        cluster: subjects.cluster,
        natsServers: broker.servers,
        server: broker.server,
        durability: this.#parts.durability === 'unverified' ? 'quorum' : this.#parts.durability,
        verified: this.#parts.durability !== 'unverified',
        replicas: this.#parts.replicas,
        uptimeMs: Math.round(clock.monotonicMs() - startedAtMs),
        state: this.state,
        boot: this.#parts.boot,
        ...this.#parts.ready(),
      }),
    });
    const edge = publicEdge({
      transport: broker.data.transport,
      subjects,
      clock,
      log,
      node: this.name,
      handlers: publicHandlers({ member, refs }),
      onDeadLetter: (letter) => {
        const to = { kind: 'agent', type: letter.type, id: letter.id } as const;
        member.system.deadLetter({ to, message: letter.message }, 'invalid-message', letter.error);
      },
    });
    this.#edge = edge;
    cluster.onServes((serves) => (serves ? edge.open() : edge.shut()));
    if (cluster.serves) edge.open();
    void member.system.failed.then((error) => this.#fail(error));
    // Who is told that this node runs may ask it at once.
    await broker.data.transport.flush({ timeoutMs: CLOSE_MS }).catch((error) => log.debug({ error }, 'not flushed'));
    if (this.#stopping === undefined) this.#become('running');
  }

  /** This incarnation was declared gone, or the store was out of reach for too long (C1). */
  over(reason: 'declared-gone' | 'not-renewed'): void {
    const message = reason === 'declared-gone' ? 'this incarnation was declared gone' : 'the lease could not be renewed for too long';
    this.#fail(
      new NexaError('fenced', message, {
        where: { node: this.name, incarnation: String(this.incarnation) },
        fix: 'Start the node again; its launcher does.',
      }),
    );
  }
  #fail(error: NexaError): void {
    if (this.#stopping !== undefined) return;
    this.#become('error');
    this.#edge?.shut();
    this.#stopping = (async () => {
      this.#parts.member.cluster.close();
      await this.#unwind();
      this.#become('stopped');
      this.#end.reject(error);
    })();
  }

  async #cordon(on: boolean, within: { readonly timeoutMs: number }): Promise<void> {
    this.#mustRun();
    await this.#parts.member.cluster.cordon(on, within);
    if (!on && this.#state === 'maintenance') this.#become('running');
  }
  async #drain(within: { readonly timeoutMs: number }): Promise<Drained> {
    this.#mustRun();
    const drained = await this.#parts.member.cluster.drain({ ...within, onBegin: () => this.#become('maintenance') });
    return drained;
  }
  #mustRun(): void {
    if (this.#state === 'running' || this.#state === 'maintenance') return;
    throw new NexaError('unavailable', `this node is ${this.#state}`, { where: { node: this.name }, definite: true });
  }
  cordon({ timeoutMs = CORDON_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#cordon(true, { timeoutMs });
  }
  uncordon({ timeoutMs = CORDON_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#cordon(false, { timeoutMs });
  }
  async drain({ timeoutMs = LEAVE_MS }: { readonly timeoutMs?: number } = {}): Promise<{ readonly moved: number; readonly left: number }> {
    const { moved, left } = await this.#drain({ timeoutMs });
    return { moved, left };
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      const { member } = this.#parts;
      this.#become('stopping');
      this.#edge?.shut();
      await member.cluster.leave({ timeoutMs: LEAVE_MS, settled: async () => this.#edge?.idle({ timeoutMs: CLOSE_MS }) });
      await this.#edge?.close({ timeoutMs: CLOSE_MS });
      await this.#unwind();
      this.#become('stopped');
      this.#end.resolve();
    })();
    return this.#stopping;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  topic<T extends Message>(name: string): Topic<T> {
    return this.system.topic(name);
  }
  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C> {
    return this.#parts.member.system.refOf({ kind: 'agent', type: protocol.type, id }) as unknown as AgentRef<C>;
  }
  readonly spawn: Agents['spawn'] = (async (
    definition: AnyAgent,
    wanted: { readonly timeoutMs?: number; readonly [more: string]: unknown } = {},
  ) => {
    const spawned = await this.#parts.member.agents.spawn({ ...wanted, type: definition.type, timeoutMs: wanted.timeoutMs ?? 5_000 });
    return { ref: this.agent(definition, spawned.id), node: spawned.node, epoch: spawned.epoch, created: spawned.created };
  }) as unknown as Agents['spawn'];
  readonly stopAgent: Agents['stopAgent'] = (ref, { forget = false, timeoutMs = 5_000 } = {}) =>
    this.#parts.member.agents.stop(ref.type, ref.id, { forget, timeoutMs });
}
