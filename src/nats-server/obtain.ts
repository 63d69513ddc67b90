import { NexaError } from '../errors.ts';
import type { Candidate } from './candidate.ts';
import { type FetchOptions, fetchNatsServer } from './fetch.ts';
import { type FindOptions, findNatsServer, type NatsServerBinary } from './find.ts';
import { requireFit } from './version.ts';

export interface Obtained {
  readonly binary: NatsServerBinary;
  /** Everything that was looked at, the refused ones first. */
  readonly candidates: readonly Candidate[];
}

/**
 * A nats-server that fits: one that is there, else one fetched into the project's own cache.
 * @throws NexaError `store-misconfigured` if `NEXA_NATS_SERVER` names one that does not do, `unavailable` if none is to be had: it names
 * every candidate, and its fix is one screen of exact commands.
 */
export async function obtainNatsServer(options: FindOptions & FetchOptions): Promise<Obtained> {
  const { binary, candidates } = await findNatsServer(options);
  if (binary !== undefined) return { binary, candidates };
  const explicit = candidates.find(({ source }) => source === 'NEXA_NATS_SERVER');
  if (explicit !== undefined) {
    throw new NexaError('store-misconfigured', `NEXA_NATS_SERVER names ${explicit.path}: ${explicit.reason}`, {
      where: { path: explicit.path },
      fix: 'Point NEXA_NATS_SERVER at a newer nats-server, or unset it so that Nexa looks for one.',
    });
  }
  const fetched = await fetchNatsServer(options).catch((error: NexaError) => {
    const refused = candidates.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
    throw new NexaError(error.code, `no nats-server that fits is here${refused}\n${error.message}`, {
      where: error.where,
      retryable: false,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      cause: error,
    });
  });
  requireFit(fetched.version, { replicated: options.replicated, where: fetched.path });
  const { path, source, version } = fetched;
  return { binary: fetched, candidates: [...candidates, { path, source, version, verdict: 'taken', reason: 'fetched just now' }] };
}
