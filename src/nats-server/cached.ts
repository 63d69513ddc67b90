import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, type Environment } from '../programs/cache.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

/** Holds one folder per version. */
export const serverCache = (env: Environment): string => cacheFolder(env, 'nats-server');

/** The binaries in the cache, newest first. */
export async function cachedBinaries(cache: string): Promise<readonly string[]> {
  const names = await readdir(cache).catch(() => []);
  return names
    .map((name) => ({ name, version: /^\d/.test(name) ? parseVersion(name) : undefined }))
    .filter((entry): entry is { name: string; version: Version } => entry.version !== undefined)
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ name }) => join(cache, name, 'nats-server'));
}
