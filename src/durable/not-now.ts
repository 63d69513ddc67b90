import type { NexaError } from '../errors.ts';

const CODES: readonly string[] = ['unavailable', 'overloaded', 'mailbox-full'];

/**
 * Of the node, of the store or of somebody else at that moment, and no word on what was to be handled: it is brought again for as long as that
 * lasts, and none of that counts as a try of it. The agent's own failures have no store in their place; what is too large for a store stays so.
 */
export const isNotNow = ({ code, category, where }: NexaError): boolean =>
  CODES.includes(code) || (category === 'resource' && code !== 'payload-too-large' && where.store !== undefined);
