import type { System } from '../actor/system.ts';
import { NexaError } from '../errors.ts';
import { endpointRef } from './endpoint.ts';
import type { AgentHost } from './hosting.ts';
import { runs } from './member.ts';
import type { Members } from './members.ts';

/**
 * Spawns the agent that a message is for and that nobody knows, or that is stopped. Undefined: it has to be spawned by somebody. The
 * promise rejects with the NexaError that the message is refused with; it says the epoch at which the agent is there, if that is known.
 */
export type Demand = (type: string, id: string) => Promise<{ readonly epoch: number } | null> | undefined;

/** A first message waits so long for its agent to be placed. */
const PLACED_MS = 5_000;

/**
 * Agents of on-demand types, as if each of them were always there. A node that does not run a type cannot tell whether it is one and
 * what it asks for, so it asks one that does. Two that ask at once spawn one: the record is created by compare-and-set.
 */
export function onDemand(options: {
  readonly self: { readonly node: string };
  readonly system: System;
  readonly members: Members;
  readonly host: AgentHost;
  readonly spawn: (
    wish: { readonly type: string; readonly id: string; readonly timeoutMs: number },
    why: string,
  ) => Promise<{ readonly epoch: number }>;
}): Demand {
  const { self, system, members, host } = options;
  return (type, id) => {
    if (Object.hasOwn(host.types, type)) {
      if (!host.kindOf(type).onDemand) return undefined;
      return options.spawn({ type, id, timeoutMs: PLACED_MS }, 'its first message');
    }
    const knows = members
      .all()
      .find((member) => member.node !== self.node && member.state === 'up' && !member.suspect && runs(member, type) !== undefined);
    if (knows === undefined) return undefined;
    return endpointRef(system, knows.node, knows.incarnation).ask({ type: 'demand', agentType: type, id }, { timeoutMs: PLACED_MS });
  };
}

/** For another node, which does not run the type. @throws NexaError `no-such-actor`: it has to be spawned. */
export async function demanded(demand: Demand, type: string, id: string): Promise<null> {
  const placed = demand(type, id);
  if (placed === undefined) throw noSuchAgent(type, id);
  await placed;
  return null;
}

export const noSuchAgent = (type: string, id: string): NexaError =>
  new NexaError('no-such-actor', 'there is no such agent', { where: { agent: `${type}/${id}` }, fix: 'Spawn it first.' });
