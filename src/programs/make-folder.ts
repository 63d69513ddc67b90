import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A folder and its ancestors. Node's own `recursive` never returns for a path that cannot exist under an existing folder (/proc/x). */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  const missing: string[] = [];
  for (let path = folder; ; path = dirname(path)) {
    const outcome = await made(path, mode);
    if (outcome === 'there') break;
    if (missing.push(path) > 256 || dirname(path) === path) throw new Error(`no ancestor of ${folder} can be made`);
  }
  for (const path of missing.reverse()) await mkdir(path, { mode }).catch(ignoreExisting);
}

const made = (path: string, mode: number): Promise<'there' | 'no parent'> =>
  mkdir(path, { mode }).then(
    () => 'there',
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return 'there';
      if (error.code === 'ENOENT') return 'no parent';
      throw error;
    },
  );

const ignoreExisting = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error;
};
