import { z } from 'zod';
import { type GossipState, parseGossipState } from '../durable/replica/gossip.ts';
import type { Replicated } from '../durable/replica/replicated.ts';
import { toNexaError } from '../errors.ts';

/** The schema of an agent's state that is one replica of such a value: `state: replicaState(kind)`, with `initial: gossip(kind).initial`. */
export function replicaState<Value>(kind: Replicated<Value>): z.ZodType<GossipState<Value>> {
  return z.unknown().superRefine((data, context) => {
    try {
      parseGossipState(kind, data);
    } catch (error) {
      context.addIssue({ code: 'custom', message: toNexaError(error).message });
    }
  }) as unknown as z.ZodType<GossipState<Value>>;
}
