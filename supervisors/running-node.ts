import type { HealthCheck } from '../actors/index.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import { fencedBy, type OverReason } from '../src/cluster/fenced.ts';
import type { subjects as subjectsOf } from '../src/cluster/subject.ts';
import type { LogRing } from '../src/edge/log-ring.ts';
import { type PublicEdge, publicEdge } from '../src/edge/public-edge.ts';
import type { NexaError } from '../src/errors.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Broker } from './broker.ts';
import type { LoopLag } from './loop-lag.ts';
import type { MemberNode } from './member.ts';
import type { NexaNode } from './node-contract.ts';
import { LEAVE_MS, NodeFace } from './node-face.ts';
import { processLoad } from './process-load.ts';
import { publicHandlers } from './public-handlers.ts';
import type { Readiness } from './readiness.ts';
import { superviseNode } from './trees/node-tree.ts';

const CLOSE_MS = 2_000;

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
export class RunningNode extends NodeFace implements NexaNode {
  readonly done: Promise<void>;
  readonly #parts: NodeParts;
  readonly #unwind: () => Promise<void>;
  #edge: PublicEdge | undefined;
  #stopping: Promise<void> | undefined;
  #end: { resolve: () => void; reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };

  constructor(parts: NodeParts, unwind: () => Promise<void>) {
    super(parts.name, parts.member);
    this.#parts = parts;
    this.#unwind = unwind;
    this.done = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.done.catch(() => undefined);
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
      cordon: (on, within) => (on ? this.cordon(within) : this.uncordon(within)),
      drain: async (within) => {
        const { blocked, ...drained } = await this.drained(within);
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
        const reason = letter.error.code === 'overloaded' ? 'overloaded' : 'invalid-message';
        member.system.deadLetter({ to, message: letter.message }, reason, letter.error);
      },
      sheds: cluster.admission.sheds,
    });
    this.#edge = edge;
    cluster.onServes((serves) => (serves ? edge.open() : edge.shut()));
    if (cluster.serves) edge.open();
    void member.system.failed.then((error) => this.#fail(error));
    // Who is told that this node runs may ask it at once.
    await broker.data.transport.flush({ timeoutMs: CLOSE_MS }).catch((error) => log.debug({ error }, 'not flushed'));
    if (this.#stopping === undefined) this.become('running');
  }

  over(reason: OverReason): void {
    this.#fail(fencedBy({ node: this.name, incarnation: this.incarnation }, reason));
  }
  #fail(error: NexaError): void {
    if (this.#stopping !== undefined) return;
    this.become('error');
    this.#edge?.shut();
    this.#stopping = (async () => {
      this.#parts.member.cluster.close();
      await this.#unwind();
      this.become('stopped');
      this.#end.reject(error);
    })();
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      const { member } = this.#parts;
      this.become('stopping');
      this.#edge?.shut();
      await member.cluster.leave({ timeoutMs: LEAVE_MS, settled: async () => this.#edge?.idle({ timeoutMs: CLOSE_MS }) });
      await this.#edge?.close({ timeoutMs: CLOSE_MS });
      await this.#unwind();
      this.become('stopped');
      this.#end.resolve();
    })();
    return this.#stopping;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
