import type { Client } from '../src/client.ts';
import { NexaError } from '../src/errors.ts';
import { didYouMean } from '../supervisors/did-you-mean.ts';
import { typesOf } from './shapes.ts';

/** What was thrown; if it names an agent type that is not there, with the one that was probably meant. */
export async function withHint(thrown: unknown, client: Client | undefined): Promise<unknown> {
  if (!(thrown instanceof NexaError) || thrown.code !== 'unknown-type' || thrown.where.type === undefined || client === undefined)
    return thrown;
  const types = await client.cluster.types().catch(() => []);
  const meant = didYouMean(
    thrown.where.type,
    typesOf(types).map(({ type }) => type),
  );
  if (meant === undefined) return thrown;
  const { code, message, where, retryable, definite } = thrown;
  return new NexaError(code, message, { where, retryable, definite, fix: `Did you mean ${meant}? See \`nexa types\`.`, cause: thrown });
}
