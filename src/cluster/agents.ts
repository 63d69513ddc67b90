import type { System } from '../actor/system.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Random } from '../ports/random.ts';
import type { Cluster } from './cluster.ts';
import { endpointRef } from './endpoint.ts';
import type { LocalView } from './local-agents.ts';
import { runs } from './member.ts';
import { merged } from './merged.ts';
import { nobodyTakes } from './nobody.ts';
import { onDemand } from './on-demand.ts';
import type { SpawnAnswer } from './ownership.ts';
import type { AgentSpec, Place, PlacementWish, Restart } from './place.ts';
import { choose, eligible, type Placeable } from './placement.ts';
import { agentKey, parseAgentKey } from './subject.ts';

export interface SpawnWish {
  readonly type: string;
  readonly id?: string | undefined;
  readonly config?: unknown;
  readonly spawnId?: string | undefined;
  readonly placement?: PlacementWish | undefined;
  readonly restart?: Restart | undefined;
  readonly timeoutMs: number;
}
export interface AgentSpawned extends SpawnAnswer {
  readonly type: string;
  readonly id: string;
}
export interface AgentView {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number;
  readonly state: 'running' | 'passive' | 'starting' | 'suspended' | 'unplaced' | 'stopped' | 'quarantined';
  readonly mailbox: number;
  readonly restarts: number;
  readonly why: string;
}

/** Spawning, stopping and listing agents anywhere in the cluster, from any of its nodes. */
export interface ClusterAgents {
  /** C8. @throws NexaError `unknown-type`, `invalid-message` (config), `conflict`, `unavailable`, `quota-exceeded`, `ask-timeout`. */
  spawn(wish: SpawnWish): Promise<AgentSpawned>;
  /** Resolves when its record says stopped. @throws NexaError `no-such-actor`, `unavailable`, `ask-timeout`. */
  stop(type: string, id: string, options: { readonly forget: boolean; readonly timeoutMs: number }): Promise<void>;
  list(options: {
    readonly type?: string | undefined;
    readonly id?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly agents: readonly AgentView[]; readonly more: boolean }>;
}

type Placed = Place & { readonly id: string };
interface Defaults {
  readonly placement: PlacementWish;
  readonly requires: Readonly<Record<string, string>>;
  readonly restart: Restart;
}

const CONFIG_BYTES = 16_384;
/** Owners asked for one stop; each further one was named by a refusal of the one before. */
const TRIES = 6;
const LIST_MS = 1_000;
/** Refusals of a node that another one, or the next look, may do better. */
const AGAIN: readonly string[] = ['no-such-actor', 'node-lost', 'unknown-version'];

export function clusterAgents(options: {
  readonly cluster: Cluster;
  readonly system: System;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * What a type asks for unless the spawn says otherwise, and what its configuration does in any case; undefined for types that this
   * node does not know. @throws NexaError `invalid-message` for a configuration that does not fit.
   */
  readonly defaults: (type: string, config: unknown) => Defaults | undefined;
}): ClusterAgents {
  const { cluster, system, codec, clock, random } = options;
  const { members, places, locals, self } = cluster;
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(ms, resolve);
    });

  const checked = (wish: SpawnWish, why: string): AgentSpec => {
    const advertised = members.all().filter((member) => member.state !== 'gone' && runs(member, wish.type) !== undefined);
    if (advertised.length === 0) {
      throw new NexaError('unknown-type', `no node runs the agent type ${JSON.stringify(wish.type.slice(0, 64))}`, {
        where: { type: wish.type.slice(0, 64) },
        fix: 'Start a node with --agents and a folder that defines it, or see `nexa types`.',
      });
    }
    const defaults = options.defaults(wish.type, wish.config);
    const bytes = codec.encode(wish.config ?? null).byteLength;
    if (bytes > CONFIG_BYTES) {
      throw new NexaError('quota-exceeded', `the configuration takes ${bytes} bytes, ${CONFIG_BYTES} are allowed`, {
        where: { type: wish.type },
        fix: 'Store it elsewhere and pass its name.',
      });
    }
    const spawnId = wish.spawnId ?? '';
    const id = wish.id ?? (spawnId === '' ? random.id() : `spawn-${spawnId}`);
    agentKey(wish.type, id);
    return {
      type: wish.type,
      id,
      spawnId,
      config: wish.config,
      restart: wish.restart ?? defaults?.restart ?? 'permanent',
      placement: placementOf(wish.placement, defaults),
      desired: 'running',
      prefer: undefined,
      version: Math.min(...advertised.map((member) => runs(member, wish.type) ?? 1)),
      why,
    };
  };
  const placeable = ({ type, id, version, placement }: AgentSpec): Placeable => {
    // What a newer version has owned needs one again, whatever else runs the type.
    const known = places.get(agentKey(type, id))?.value.version ?? 0;
    return { type, id, version: Math.max(version, known), wish: placement };
  };
  /** Where the spawn goes: to the owner of what is there already, so that the answer comes from who knows, else where placing says. */
  const targetOf = (record: AgentSpec): string | undefined => {
    const owner = places.get(agentKey(record.type, record.id))?.value.owner;
    if (owner !== undefined && members.find(owner.node)?.state === 'up' && !members.isGone(owner.node, owner.incarnation))
      return owner.node;
    // A node that was named says itself why it takes no more.
    const all = members.all().map((member) => (member.node === record.placement.node ? { ...member, admits: true } : member));
    return choose(placeable(record), all, {
      local: self.node,
      load: members.load,
      random,
    });
  };
  /** Whether a member of which this node, being new, has heard no beat yet could take it: worth waiting for the next one. */
  const mayBeHeard = (record: AgentSpec): boolean => {
    const assumed = members
      .all()
      .filter(({ node, incarnation }) => node !== self.node && members.beatOf(node)?.incarnation !== incarnation)
      .map((member) => ({ ...member, suspect: false, admits: true }));
    return eligible(placeable(record), assumed).length > 0;
  };
  const at = async (node: string, record: AgentSpec, timeoutMs: number): Promise<SpawnAnswer> => {
    const member = members.find(node);
    if (member === undefined) throw nobodyTakes(placeable(record), members.all());
    members.placed(node);
    return endpointRef(system, node, member.incarnation).ask({ type: 'spawn-here', record }, { timeoutMs });
  };

  const spawn = async (wish: SpawnWish, why: string): Promise<AgentSpawned> => {
    const record = checked(wish, why);
    const deadlineMs = clock.monotonicMs() + wish.timeoutMs;
    for (let tries = 0; ; tries++) {
      const left = deadlineMs - clock.monotonicMs();
      const target = targetOf(record);
      try {
        if (target === undefined) throw nobodyTakes(placeable(record), members.all());
        const answer = await at(target, record, Math.max(1, left));
        return { type: record.type, id: record.id, ...answer };
      } catch (thrown) {
        // Only what certainly did not happen is tried again, and only what may be different next time.
        const error = toNexaError(thrown, 'internal');
        const again = error.definite && (error.retryable || AGAIN.includes(error.code));
        // Its record says more than the copy did: the next try places it by that.
        if (error.code === 'unknown-version') await places.refresh(agentKey(record.type, record.id));
        const worthIt = target === undefined ? mayBeHeard(record) : again && tries < 3;
        if (!worthIt || left < 200) throw error;
        await pause(50 * (1 + random.next()));
      }
    }
  };
  cluster.onDemand(onDemand({ self, system, members, host: cluster.host, spawn }));

  return {
    spawn: (wish) => spawn(wish, 'spawned'),
    async stop(type, id, { forget, timeoutMs }) {
      const key = agentKey(type, id);
      const deadlineMs = clock.monotonicMs() + timeoutMs;
      for (let tries = 0; ; tries++) {
        if (places.get(key) === undefined) await places.refresh(key);
        const owner = places.get(key)?.value.owner;
        const elsewhere = owner !== undefined && owner.node !== self.node && !members.isGone(owner.node, owner.incarnation);
        const left = Math.max(1, deadlineMs - clock.monotonicMs());
        try {
          const ref = endpointRef(system, elsewhere ? owner.node : self.node, elsewhere ? owner.incarnation : self.incarnation);
          await ref.ask({ type: 'stop-here', agentType: type, id, forget }, { timeoutMs: left });
          return;
        } catch (thrown) {
          const error = toNexaError(thrown, 'internal');
          const moved = error.code === 'not-owner' || (error.definite && error.code === 'node-lost');
          if (!moved || tries >= TRIES || left < 200) throw error;
          await pause(50 * 2 ** tries);
          await places.refresh(key);
        }
      }
    },
    async list(filter) {
      const rows = [...places.entries()]
        .filter(({ value }) => filter.type === undefined || value.type === filter.type)
        .map(({ key, value, revision }) => ({ record: merged(value, { id: parseAgentKey(key).id }), revision }))
        .filter(({ record }) => filter.id === undefined || record.id === filter.id)
        .sort((a, b) => compare(a.record.type, b.record.type) || compare(a.record.id, b.record.id));
      const shown = rows.slice(0, filter.limit);
      const owners = new Map(
        shown.flatMap(({ record }) => (record.owner === undefined ? [] : [[record.owner.node, record.owner.incarnation] as const])),
      );
      const views = new Map<string, LocalView>();
      await Promise.all(
        [...owners].map(async ([node, incarnation]) => {
          try {
            const here =
              node === self.node
                ? locals.views()
                : await endpointRef(system, node, incarnation).ask({ type: 'agents-here' }, { timeoutMs: LIST_MS });
            for (const view of here) views.set(`${node}/${view.type}/${view.id}`, view);
          } catch {
            // A node that does not answer: its agents are shown from their records.
          }
        }),
      );
      const agents = shown.map(({ record, revision }): AgentView => {
        const view = record.owner === undefined ? undefined : views.get(`${record.owner.node}/${record.type}/${record.id}`);
        return {
          type: record.type,
          id: record.id,
          node: record.owner?.node ?? null,
          epoch: revision,
          state: stateOf(record, view),
          mailbox: view?.mailbox ?? 0,
          restarts: view?.restarts ?? 0,
          why: whyOf(record),
        };
      });
      return { agents, more: rows.length > shown.length };
    },
  };

  /** Why it is where it is, or why it is nowhere. */
  function whyOf(record: Placed): string {
    if (stateOf(record, undefined) !== 'unplaced') return record.why;
    const { node: _named, ...wish } = record.placement;
    const agent = { type: record.type, id: record.id, version: record.version, wish };
    return eligible(agent, members.all()).length > 0 ? record.why : nobodyTakes(agent, members.all()).message;
  }
  function stateOf(record: Placed, view: LocalView | undefined): AgentView['state'] {
    if (record.desired !== 'running') return record.desired;
    if (record.owner === undefined || members.isGone(record.owner.node, record.owner.incarnation)) return 'unplaced';
    if (members.find(record.owner.node)?.suspended === true) return 'suspended';
    return view?.state ?? 'starting';
  }
}

/** That of its type itself, where nothing else is asked for: all agents of the type share it. */
function placementOf(wish: PlacementWish | undefined, defaults: Defaults | undefined): PlacementWish {
  if (wish === undefined && defaults !== undefined && Object.keys(defaults.requires).length === 0) return defaults.placement;
  return { ...defaults?.placement, ...wish, labels: { ...(wish?.labels ?? defaults?.placement.labels), ...defaults?.requires } };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
