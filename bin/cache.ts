import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../supervisors/config.ts';

/** Of one file. */
const MOST_BYTES = 262_144;

/** A file of the user's cache folder; undefined where there is no such folder. */
export const cacheFile = ({ cacheHome, home }: Environment, name: string): string | undefined => {
  const folder = cacheHome ?? (home === undefined ? undefined : join(home, '.cache'));
  return folder === undefined ? undefined : join(folder, 'nexa', name);
};

/** What was kept, unless it is older than that; undefined for whatever is wrong with it. */
export async function readCache(environment: Environment, name: string, longestMs: number): Promise<unknown> {
  const file = cacheFile(environment, name);
  if (file === undefined) return undefined;
  try {
    const { mtimeMs, size } = await stat(file);
    if (size > MOST_BYTES || Date.now() - mtimeMs > longestMs) return undefined;
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Keeps it, as a whole or not at all: a cache that cannot be written is none. */
export async function writeCache(environment: Environment, name: string, value: unknown): Promise<void> {
  const file = cacheFile(environment, name);
  const text = JSON.stringify(value);
  if (file === undefined || text.length > MOST_BYTES) return;
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await writeFile(unfinished, text, { mode: 0o600, flag: 'wx' });
    await rename(unfinished, file);
  } catch {
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
}

/** Whether this process may do what one is to do at a time; the claim lapses. */
export async function claim(environment: Environment, name: string, longestMs: number): Promise<boolean> {
  const file = cacheFile(environment, name);
  if (file === undefined) return false;
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: undefined }));
    if (mtimeMs !== undefined && Date.now() - mtimeMs > longestMs) await rm(file, { force: true });
    await (await open(file, 'wx', 0o600)).close();
    return true;
  } catch {
    return false;
  }
}
