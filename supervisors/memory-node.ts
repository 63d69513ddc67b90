import { loadAgents } from '../src/agent/load.ts';
import type { Logger } from '../src/ports/logger.ts';
import { startNode } from './node.ts';
import type { NexaNode } from './node-contract.ts';

/** A cluster of one, in this process, without NATS. */
export async function startMemoryNode(options: {
  readonly cluster: string;
  readonly log: Logger;
  readonly agents?: string;
  readonly nexa: object;
}): Promise<NexaNode> {
  const agents = options.agents === undefined ? [] : await loadAgents(options.agents, { nexa: options.nexa });
  return startNode({ nats: 'memory', name: 'n1', cluster: options.cluster, agents, log: options.log });
}
