import type { System } from '../../src/actor/system.ts';
import type { ClusterAgents } from '../../src/cluster/agents.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import { agentKey } from '../../src/cluster/subject.ts';
import { letterOf } from '../../src/edge/letters.ts';
import { shownData } from '../../src/edge/showable.ts';
import { type NexaError, toNexaError } from '../../src/errors.ts';
import type { AgentInspection, AgentOnNode, AgentWhy } from './protocol.ts';
import type { TypesOptions } from './types.ts';

/** One other registry has so long. */
const PEER_MS = 1_000;
/** Nodes asked about one agent, its owner first. */
const PEERS = 64;
/** Dead letters of one agent that one node, and that one answer, shows. */
const LETTERS_HERE = 20;
const LETTERS = 50;
/** Of a configuration, as JSON. */
const CONFIG_BYTES = 4_096;

export interface ReportOptions extends Pick<TypesOptions, 'cluster' | 'peer'> {
  readonly system: System;
  readonly agents: ClusterAgents;
}

type Found = { readonly record: Omit<AgentRecord, 'nonce'>; readonly revision: number; readonly complete: boolean };

/** What is known of one agent: in its record, on the node that runs it, on those it came from. */
export function agentReports({ system, cluster, agents, peer }: ReportOptions) {
  const here = (type: string, id: string): AgentOnNode => {
    const letters = system.deadLetters
      .list()
      .filter(({ envelope: { to } }) => to.kind === 'agent' && to.type === type && to.id === id)
      .slice(-LETTERS_HERE);
    return { ...cluster.self, ...cluster.host.look(type, id), deadLetters: letters.map(letterOf) };
  };
  const there = async (node: string, incarnation: number, type: string, id: string, signal: AbortSignal): Promise<AgentOnNode> =>
    node === cluster.self.node
      ? here(type, id)
      : peer(node, incarnation).ask({ type: 'inspect-here', agent: type, id }, { timeoutMs: PEER_MS, signal });

  /** The store's word, else what this node's copy has of it. */
  const find = async (type: string, id: string): Promise<Found | undefined> => {
    let stored: { readonly record: AgentRecord; readonly revision: number } | undefined;
    let silent: NexaError | undefined;
    try {
      stored = await cluster.recordOf(type, id);
    } catch (thrown) {
      silent = toNexaError(thrown, 'unavailable');
      if (silent.code === 'bad-id') throw silent;
    }
    if (stored !== undefined) return { ...stored, complete: true };
    const copied = cluster.places.get(agentKey(type, id));
    if (copied !== undefined && silent !== undefined) {
      const record = { ...copied.value, id, spawnId: '', config: undefined, moves: [] };
      return { record, revision: copied.revision, complete: false };
    }
    if (silent !== undefined) throw silent;
    return undefined;
  };
  const stateOf = async (found: Found, running: AgentOnNode['running']): Promise<string> => {
    const { type, id } = found.record;
    const [view] = (await agents.list({ type, id, limit: 1 })).agents;
    // The list knows it from the copy; who runs it was asked just now.
    return view?.state === 'starting' && running?.state === 'running' ? 'running' : (view?.state ?? found.record.desired);
  };

  return {
    here,
    async inspect(type: string, id: string, signal: AbortSignal): Promise<AgentInspection | null> {
      const found = await find(type, id);
      if (found === undefined) return null;
      const { record, revision, complete } = found;
      const { owner } = record;
      const onOwner = owner === undefined ? undefined : await there(owner.node, owner.incarnation, type, id, signal).catch(() => undefined);
      const config = shownData(record.config) ?? null;
      const configBytes = JSON.stringify(config).length;
      return {
        ...{ type, id, node: owner?.node ?? null, incarnation: owner?.incarnation ?? null, epoch: revision },
        state: await stateOf(found, onOwner?.running ?? null),
        ...{ desired: record.desired, cause: record.cause, why: record.why, restart: record.restart, placement: record.placement },
        ...{ version: record.version, spawnId: record.spawnId === '' ? null : record.spawnId },
        config: configBytes <= CONFIG_BYTES ? config : null,
        configBytes: complete ? configBytes : null,
        running: onOwner?.running ?? null,
        lastCrash: onOwner?.lastCrash ?? null,
        answered: onOwner !== undefined || owner === undefined,
        reminders: await cluster.reminders.list(type, id),
      };
    },
    async why(type: string, id: string, signal: AbortSignal): Promise<AgentWhy | null> {
      const found = await find(type, id);
      if (found === undefined) return null;
      const { record, revision, complete } = found;
      const members = cluster.members.all().filter(({ state }) => state !== 'gone');
      const first = (node: string): number => Number(node !== record.owner?.node);
      const asked = members.sort((a, b) => first(a.node) - first(b.node)).slice(0, PEERS);
      const answers = await Promise.all(
        asked.map(async ({ node, incarnation }) => ({
          node,
          said: await there(node, incarnation, type, id, signal).catch(() => undefined),
        })),
      );
      const heard = answers.flatMap(({ said }) => (said === undefined ? [] : [said]));
      const running = heard.find(({ node }) => node === record.owner?.node)?.running ?? null;
      const crashes = heard.flatMap(({ node, lastCrash }) => (lastCrash === null ? [] : [{ node, ...lastCrash }]));
      const letters = heard.flatMap(({ node, deadLetters }) => deadLetters.map((letter) => ({ node, ...letter })));
      return {
        ...{ type, id, node: record.owner?.node ?? null, epoch: revision, state: await stateOf(found, running) },
        ...{ cause: record.cause, why: record.why, complete },
        moves: record.moves.map(({ epoch, ...move }) => ({ ...move, epoch: epoch ?? null })),
        lastCrash: crashes.sort((a, b) => b.atMs - a.atMs)[0] ?? null,
        deadLetters: letters.sort((a, b) => a.atMs - b.atMs).slice(-LETTERS),
        silent: [...answers.filter(({ said }) => said === undefined), ...members.slice(PEERS)].map(({ node }) => node),
      };
    },
  };
}
