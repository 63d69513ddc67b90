import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NexaError } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

/** The environment variables this folder looks at, given by whoever may read the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

const STAGING = '.staging-';
const STAGING_KEPT_MS = 3_600_000;

/** `<cache>/nexa/<name>`, where what was fetched is kept. */
export function cacheFolder(env: Environment, name: string): string {
  // XDG: a relative path there is to be ignored.
  const base = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(env.HOME || homedir(), '.cache');
  return join(base, 'nexa', name);
}

/** A folder to work in, on the cache's own file system; what processes that were killed left behind is removed after an hour. */
export async function stagingFolder(cache: string): Promise<string> {
  await makeFolder(cache, 0o755);
  for (const name of (await readdir(cache)).filter((entry) => entry.startsWith(STAGING))) {
    const { mtimeMs } = await stat(join(cache, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > STAGING_KEPT_MS) await rm(join(cache, name), { recursive: true, force: true });
  }
  return mkdtemp(join(cache, STAGING));
}

/**
 * Moves a folder that was prepared in a staging folder to its place. Atomic: a reader of the cache sees all of it or nothing. Several
 * processes may do so at once: who comes second keeps the first one's if that one `works`.
 * @throws NexaError `unavailable` if what stands in its place does not work and cannot be replaced.
 */
export async function storeInCache(staging: string, prepared: string, folder: string, works: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 5; tries += 1) {
    if (await moved(prepared, folder)) return;
    if (await works()) return;
    // What is there does not run: aside, not removed, since another process may have repaired it this moment.
    await rename(folder, join(staging, `broken-${tries}`)).catch(() => {});
  }
  throw new NexaError('unavailable', `cannot put what was fetched into ${folder}`, { where: { folder } });
}

/** False if something is there already. */
const moved = (from: string, to: string) =>
  rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
      throw error;
    },
  );
