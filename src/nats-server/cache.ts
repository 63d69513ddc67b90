import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NexaError } from '../errors.ts';
import { judge } from './candidate.ts';
import { makeFolder } from './make-folder.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

/** The environment variables this folder looks at, given by whoever may read the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

const STAGING = '.staging-';
const STAGING_KEPT_MS = 3_600_000;

/** `<cache>/nexa/nats-server`, holding one folder per version. */
export function cacheFolder(env: Environment): string {
  // XDG: a relative path there is to be ignored.
  const base = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(env.HOME || homedir(), '.cache');
  return join(base, 'nexa', 'nats-server');
}

/** The binaries in the cache, newest first. */
export async function cachedBinaries(cache: string): Promise<readonly string[]> {
  const names = await readdir(cache).catch(() => []);
  return names
    .map((name) => ({ name, version: /^\d/.test(name) ? parseVersion(name) : undefined }))
    .filter((entry): entry is { name: string; version: Version } => entry.version !== undefined)
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ name }) => join(cache, name, 'nats-server'));
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
 * Moves a binary from a staging folder to its place. Atomic: a reader of the cache sees a whole binary or none. Several processes
 * may do so at once: who comes second keeps the first one's if that one runs.
 */
export async function storeInCache(cache: string, staging: string, unpacked: string, version: string): Promise<string> {
  const folder = join(cache, version);
  const path = join(folder, 'nats-server');
  const prepared = join(staging, 'out');
  await mkdir(prepared, { mode: 0o755 });
  await rename(unpacked, join(prepared, 'nats-server'));
  await chmod(join(prepared, 'nats-server'), 0o755);
  for (let tries = 0; tries < 5; tries += 1) {
    if (await moved(prepared, folder)) return path;
    if ((await judge(path, 'cache', false)).verdict === 'taken') return path;
    // What is there does not run: aside, not removed, since another process may have repaired it this moment.
    await rename(folder, join(staging, `broken-${tries}`)).catch(() => {});
  }
  throw new NexaError('unavailable', `cannot put nats-server into ${folder}`, { where: { folder } });
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
