import { access, constants, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../errors.ts';
import { makeFolder } from '../programs/make-folder.ts';

/** What a data folder was made for; it cannot be used for anything else. */
export interface Layout {
  readonly servers: number;
  readonly cluster: string;
}

const LAYOUT_FILE = 'layout.json';

/**
 * Makes or checks the folder in which servers keep their state.
 * @throws NexaError `store-misconfigured`: it cannot be written, or holds the state of another number of servers (a server that finds a
 * store made for another layout drops streams from it, silently).
 */
export async function openDataFolder(folder: string, layout: Layout): Promise<void> {
  await requireWritable(folder);
  const file = join(folder, LAYOUT_FILE);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    await writeFile(`${file}.new`, `${JSON.stringify(layout)}\n`);
    await rename(`${file}.new`, file);
    return;
  }
  if (text.trim() !== JSON.stringify(layout)) {
    throw new NexaError(
      'store-misconfigured',
      `the data folder was made for ${text.trim().slice(0, 200)}, not for ${JSON.stringify(layout)}`,
      {
        where: { folder },
        fix: 'Start as many servers as before under the same cluster name, or choose another folder with --data.',
      },
    );
  }
}

/** Makes the folder if there is none. @throws NexaError `store-misconfigured` if it cannot be written. */
export async function requireWritable(folder: string): Promise<void> {
  try {
    await makeFolder(folder, 0o700);
    await rm(await mkdtemp(join(folder, '.writable-')), { recursive: true });
  } catch (cause) {
    throw new NexaError('store-misconfigured', `the data folder cannot be written: ${(cause as Error).message}`, {
      where: { folder },
      fix: 'Choose another folder with --data, or give this user the right to write there.',
      cause,
    });
  }
}

/** @throws NexaError `conflict` if the server that this pid file names still runs on this configuration. */
export async function requireUnused(pidFile: string, configFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 1 || !(await runs(pid, configFile))) return;
  throw new NexaError('conflict', `another nats-server (pid ${pid}) uses this data folder`, {
    where: { folder: configFile },
    fix: 'Stop it first, or choose another folder with --data.',
  });
}

async function runs(pid: number, configFile: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // A pid may belong to somebody else by now. Where the system shows command lines, only ours counts.
  const shown = await access('/proc/self/cmdline', constants.R_OK).then(
    () => true,
    () => false,
  );
  if (!shown) return true;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(configFile);
}
