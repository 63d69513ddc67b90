import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { NexaError } from '../errors.ts';
import { run } from '../programs/run.ts';
import { fitness, formatVersion, parseVersion } from './version.ts';

export type BinarySource = 'NEXA_NATS_SERVER' | 'path' | 'folder' | 'cache';

/** One binary that was looked at, and what became of it. */
export interface Candidate {
  readonly path: string;
  readonly source: BinarySource;
  readonly verdict: 'taken' | 'refused';
  readonly version?: string;
  /** Why it was refused, or what is weaker than recommended. */
  readonly reason?: string;
}

/** Runs it: a file of the right name may be empty, for another machine, or not a server at all. */
export async function judge(path: string, source: BinarySource, replicated: boolean): Promise<Candidate> {
  const refused = (reason: string): Candidate => ({ path, source, verdict: 'refused', reason });
  try {
    if (!(await stat(path)).isFile()) return refused('is not a file');
    await access(path, constants.X_OK);
  } catch (error) {
    return refused((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'is not executable');
  }
  const ran = await run(path, ['--version'], { timeoutMs: 5_000 }).catch((error: NexaError) => error);
  if (ran instanceof NexaError) return refused(`does not run: ${ran.message}`);
  const version = ran.code === 0 && /nats-server/i.test(ran.stdout) ? parseVersion(ran.stdout) : undefined;
  if (version === undefined) return refused('does not answer --version as nats-server does');
  const { fit, reason } = fitness(version, { replicated });
  return { path, source, verdict: fit ? 'taken' : 'refused', version: formatVersion(version), ...(reason === undefined ? {} : { reason }) };
}
