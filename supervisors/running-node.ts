import type { HealthCheck } from '../actors/index.ts';
import type { Message } from '../src/actor/message.ts';
import type { Receptionist } from '../src/actor/receptionist.ts';
import type { Topic } from '../src/actor/topic.ts';
import type { Agents } from '../src/agent/agents.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import type { AgentRef, Commands, Protocol } from '../src/agent/protocol.ts';
import type { Drained } from '../src/cluster/drain.ts';
import type { subjects as subjectsOf } from '../src/cluster/subject.ts';
import type { LogRing } from '../src/edge/log-ring.ts';
import { type PublicEdge, publicEdge } from '../src/edge/public-edge.ts';
import { NexaError } from '../src/errors.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Broker } from './broker.ts';
import type { LoopLag } from './loop-lag.ts';
import type { MemberNode } from './member.ts';
import type { NexaNode, NodeState } from './node-contract.ts';
import { wayTo } from './node-state.ts';
import { processLoad } from './process-load.ts';
import { publicHandlers } from './public-handlers.ts';
import type { Readiness } from './readiness.ts';
import { superviseNode } from './trees/node-tree.ts';

/** A graceful leave: agents finish their messages and are given back. */
const LEAVE_MS = 25_000;
const CLOSE_MS = 2_000;
const CORDON_MS = 5_000;

/** What a node is put together of. */
export interface NodeParts {
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

/** One node from the moment it is a member until it is over: its states, its public face, and how it goes. */
export class RunningNode implements NexaNode {
  readonly name: string;
  readonly incarnation: number;
  readonly done: Promise<void>;
  #state: NodeState = 'starting';
  readonly #parts: NodeParts;
  readonly #unwind: () => Promise<void>;
  #edge: PublicEdge | undefined;
  #stopping: Promise<void> | undefined;
  #end: { resolve: () => void; reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };

  constructor(parts: NodeParts, unwind: () => Promise<void>) {
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
