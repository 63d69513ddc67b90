import type { NodeId } from '../src/actor/address.ts';
import type { Engine } from '../src/actor/engine.ts';
import type { Strategy } from '../src/actor/strategy.ts';
import { createSystem, type System } from '../src/actor/system.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import { implementationOf } from '../src/agent/define.ts';
import { agentHost } from '../src/agent/host/host.ts';
import { validateConfig } from '../src/agent/schema.ts';
import { ADMISSION, type AdmissionLimits, type MemoryUsage } from '../src/cluster/admission.ts';
import { type ClusterAgents, clusterAgents } from '../src/cluster/agents.ts';
import { type Cluster, startCluster } from '../src/cluster/cluster.ts';
import { createCodec, type MessageCodec } from '../src/cluster/codec.ts';
import type { ClusterTimes } from '../src/cluster/config.ts';
import type { OverReason } from '../src/cluster/fenced.ts';
import type { Joined } from '../src/cluster/join.ts';
import { MOST_ACTIVE } from '../src/cluster/passivation.ts';
import type { Subjects } from '../src/cluster/subject.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import type { Stores } from '../src/ports/stores.ts';
import type { Transport } from '../src/ports/transport.ts';
import { VERSION, WIRE_VERSIONS } from '../src/version.ts';

export interface MemberOptions {
  readonly node: NodeId;
  /** As the joiner left it. */
  readonly joined: Omit<Joined, 'sent'> & { readonly session: string };
  readonly subjects: Subjects;
  readonly control: { readonly transport: Transport; readonly stores: Stores };
  readonly data: { readonly transport: Transport };
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
  readonly definitions: readonly AnyAgent[];
  /** Types that other nodes may run and this one does not: it can still say what they ask for. */
  readonly known?: readonly AnyAgent[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity?: number;
  /** Default {@link MOST_ACTIVE}. */
  readonly mostActive?: number | undefined;
  /** Default: {@link ADMISSION}. */
  readonly admission?: Partial<AdmissionLimits> | undefined;
  /** Default: its memory is not looked at. */
  readonly memory?: (() => MemoryUsage) | undefined;
  readonly pid?: number;
  readonly lagMs?: () => number;
  /** Default: all of this release. */
  readonly wireVersions?: readonly number[];
  readonly strategy?: Strategy;
  readonly onOver: (reason: OverReason) => void;
}

/** What runs on one node incarnation: its actors, its part in the cluster, its way to all agents. */
export interface MemberNode {
  readonly system: System;
  readonly cluster: Cluster;
  readonly agents: ClusterAgents;
  readonly codec: MessageCodec;
}

/** Puts a node together over the ports alone: the same for NATS, for one process in memory and for a simulation. */
export async function startMember(options: MemberOptions, within: { readonly timeoutMs: number }): Promise<MemberNode> {
  const { clock, random, log, times } = options;
  const self = { node: options.node, incarnation: options.joined.incarnation };
  const system = createSystem({
    engine: options.engine,
    clock,
    random,
    log,
    node: self.node,
    incarnation: self.incarnation,
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
  });
  const codec = createCodec({ refOf: (address) => system.unsafeRef(address) });
  const definitions = new Map([...(options.known ?? []), ...options.definitions].map((definition) => [definition.type, definition]));
  try {
    const cluster = await startCluster(
      {
        self,
        joined: options.joined,
        subjects: options.subjects,
        control: options.control,
        data: options.data,
        system,
        codec,
        clock,
        random,
        times,
        log,
        host: (onRefused) =>
          agentHost({
            ...{ system, definitions: options.definitions, stores: options.control.stores, subjects: options.subjects },
            ...{ codec, storeMs: times.storeMs, onRefused },
          }),
        labels: options.labels ?? {},
        capacity: options.capacity ?? 1,
        mostActive: options.mostActive ?? MOST_ACTIVE,
        admission: { ...ADMISSION, ...options.admission },
        memory: options.memory,
        version: VERSION,
        wireVersions: options.wireVersions ?? WIRE_VERSIONS,
        pid: options.pid ?? 0,
        lagMs: options.lagMs ?? (() => 0),
        onOver: options.onOver,
      },
      within,
    );
    const agents = clusterAgents({
      cluster,
      system,
      codec,
      clock,
      random,
      defaults: (type, config) => {
        const definition = definitions.get(type);
        if (definition === undefined) return undefined;
        const checked = validateConfig(definition, config);
        if (!checked.ok) throw checked.error;
        const { placement, requires, restart } = implementationOf(definition);
        return { placement, requires: requires(checked.value), restart };
      },
    });
    return { system, cluster, agents, codec };
  } catch (error) {
    await system.stop({ timeoutMs: 1_000 }).catch(() => undefined);
    throw error;
  }
}
