import { NexaError } from '../src/errors.ts';
import type { NodeState } from './node-contract.ts';

/** The states of a node, as drawn: what is not here is refused. Being suspended is a flag of running, not a state. */
const NEXT = {
  stopped: ['starting'],
  // A start that fails ends its process: nothing comes after it.
  starting: ['running'],
  running: ['maintenance', 'stopping', 'error'],
  maintenance: ['running'],
  stopping: ['stopped'],
  error: ['stopped'],
} as const satisfies Record<NodeState, readonly NodeState[]>;

/**
 * The states a node passes on its way, the last one included; none if it is there. Maintenance is left by way of running only.
 * @throws NexaError `context-misused`: there is no such way.
 */
export function wayTo(from: NodeState, to: NodeState): readonly NodeState[] {
  if (from === to) return [];
  const next: readonly NodeState[] = NEXT[from];
  if (next.includes(to)) return [to];
  if (from === 'maintenance' && (NEXT.running as readonly NodeState[]).includes(to)) return ['running', to];
  throw new NexaError('context-misused', `a node that is ${from} does not become ${to}`);
}
