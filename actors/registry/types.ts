import type { ActorRef } from '../../src/actor/ref.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import { type AgentDescription, describe } from '../../src/agent/describe.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { Member } from '../../src/cluster/member.ts';
import { NexaError, toNexaError } from '../../src/errors.ts';
import type { LocalType, RegistryMessage, TypeRow } from './protocol.ts';

/** One other registry has so long, and so many are tried for one description. */
const PEER_MS = 1_000;
const PEERS = 3;

export interface TypesOptions {
  readonly cluster: Cluster;
  /** Of this node. */
  readonly definitions: readonly AnyAgent[];
  /** The registry of another node. */
  readonly peer: (node: string, incarnation: number) => ActorRef<RegistryMessage>;
}

/** The agent types of the cluster. What a type is, only a node that runs it can say. */
export function agentTypes({ cluster, definitions, peer }: TypesOptions) {
  const own = new Map(definitions.map((definition) => [definition.type, definition]));
  const running = (): readonly Member[] => cluster.members.all().filter(({ state }) => state === 'up');
  /** Those that are likely to answer first. */
  const whoRuns = (type: string): readonly Member[] =>
    running()
      .filter((member) => Object.hasOwn(member.types, type))
      .sort((a, b) => Number(a.suspect) - Number(b.suspect));
  const unknown = (type: string): NexaError =>
    new NexaError('unknown-type', `no node runs the agent type ${JSON.stringify(type.slice(0, 64))}`, {
      where: { type: type.slice(0, 64) },
      fix: 'See `nexa types`.',
    });

  const typesHere = (): readonly LocalType[] =>
    definitions.map((definition) => {
      const { type, version, storage, summary } = describe(definition);
      return { type, version, storage, summary };
    });
  const describeHere = (type: string): AgentDescription => {
    const definition = own.get(type);
    if (definition === undefined) throw unknown(type);
    return describe(definition);
  };

  return {
    typesHere,
    describeHere,
    async types(signal: AbortSignal): Promise<readonly TypeRow[]> {
      const rows = new Map<string, { version: number; nodes: string[] }>();
      for (const { node, types } of running()) {
        for (const [type, version] of Object.entries(types)) {
          const row = rows.get(type) ?? { version: 0, nodes: [] };
          row.version = Math.max(row.version, version);
          row.nodes.push(node);
          rows.set(type, row);
        }
      }
      const known = new Map(typesHere().map((described) => [described.type, described]));
      const asked = new Map(
        [...rows.keys()]
          .filter((type) => !known.has(type))
          .flatMap((type) =>
            whoRuns(type)
              .slice(0, 1)
              .map((member) => [member.node, member]),
          ),
      );
      const answers = await Promise.allSettled(
        [...asked.values()].map(({ node, incarnation }) =>
          peer(node, incarnation).ask({ type: 'types-here' }, { timeoutMs: PEER_MS, signal }),
        ),
      );
      for (const answer of answers)
        if (answer.status === 'fulfilled')
          for (const described of answer.value) if (!known.has(described.type)) known.set(described.type, described);
      return [...rows]
        .map(([type, { version, nodes }]) => ({
          type,
          version,
          storage: known.get(type)?.storage ?? '',
          nodes: nodes.sort(),
          summary: known.get(type)?.summary ?? '',
        }))
        .sort((a, b) => (a.type < b.type ? -1 : 1));
    },
    async describe(type: string, signal: AbortSignal): Promise<AgentDescription> {
      if (own.has(type)) return describeHere(type);
      let reason = unknown(type);
      for (const { node, incarnation } of whoRuns(type).slice(0, PEERS)) {
        try {
          return await peer(node, incarnation).ask({ type: 'describe-here', agent: type }, { timeoutMs: PEER_MS, signal });
        } catch (cause) {
          const { message } = toNexaError(cause, 'internal');
          reason = new NexaError('unavailable', `the nodes that run it do not answer: ${message}`, { where: { type, node }, cause });
        }
      }
      throw reason;
    },
  };
}
