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

const MOST_PLACES = 5;

/** Where what belongs at `folder` may be, the one to look at first first. */
export const placesOf = (folder: string): readonly string[] =>
  Array.from({ length: MOST_PLACES }, (_, index) => (index === 0 ? folder : `${folder}_${index + 1}`));

/**
 * Moves a folder that was prepared on the cache's own file system to the first of its places that is free or has one that `works`, and
 * says which. Atomic: a reader of the cache sees all of it or nothing. What has a place keeps it, even if it does not run: whoever
 * moved it away could hit the one that another process has just put there.
 * @throws NexaError `unavailable` if every place has one that does not work.
 */
export async function storeInCache(prepared: string, folder: string, works: (place: string) => Promise<boolean>): Promise<string> {
  for (const place of placesOf(folder)) if ((await moved(prepared, place)) || (await works(place))) return place;
  throw new NexaError('unavailable', `what is in ${folder} does not run, nor what is beside it`, {
    where: { folder },
    fix: `Remove ${folder} and ${folder}_*`,
  });
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
