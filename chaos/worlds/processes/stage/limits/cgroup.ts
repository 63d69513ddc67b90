import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { NexaError } from '../../../../../src/errors.ts';
import { because } from './tool.ts';

/** A controller of the kernel's control groups, of either version, as far as it is ours to use. */
export interface Controller {
  readonly version: 1 | 2;
  /** Puts a process into a group of its own with these settings (file → text), or sets them anew. */
  limit(pid: number, settings: Readonly<Record<string, string>>): Promise<void>;
  /** Back where it was; the group is removed. Nothing for a process that is in none of ours. */
  release(pid: number): Promise<void>;
  releaseAll(): Promise<void>;
}

const RUN_MS = 5_000;
const REMOVE_TRIES = 50;
const REMOVE_MS = 20;

/**
 * Finds a place where this process may make groups with that controller and put processes into them. It is tried with a process, as
 * rights and delegations are too many to be known beforehand.
 * @param file that a group of that controller has, by version.
 * @throws NexaError `unavailable` with the reason.
 */
export async function controller(
  name: 'memory' | 'cpu',
  file: { readonly 1: string; readonly 2: string },
  folder: string,
): Promise<Controller> {
  const reasons: string[] = [];
  for (const { version, path } of await candidates(name)) {
    const probe = join(path, `${groupName(folder)}-probe-${name}`);
    try {
      await mkdir(probe);
      try {
        await readFile(join(probe, file[version]));
        await hosts(probe, path);
      } finally {
        await rmdir(probe);
      }
      return groupsIn(path, version, folder);
    } catch (error) {
      reasons.push(because(error));
    }
  }
  throw new NexaError('unavailable', reasons[0] ?? 'no control groups are mounted');
}

/** Every group of ours begins so: a run's folder has a name that no other run's has. */
const groupName = (folder: string): string => `nexa-${basename(folder)}`;

/** Groups of a run whose stage was killed: empty, as its processes were killed too, but still there. Those that could not be removed. */
export async function removeGroups(folder: string): Promise<readonly string[]> {
  const left: string[] = [];
  for (const name of ['memory', 'cpu'])
    for (const { path } of await candidates(name))
      for (const entry of await readdir(path).catch(() => []))
        if (entry.startsWith(`${groupName(folder)}-`)) await rmdir(join(path, entry)).catch(() => left.push(join(path, entry)));
  return left;
}

/** Where a group could be made, nearest to this process first: limits of whoever started us stay in force. */
async function candidates(name: string): Promise<readonly { readonly version: 1 | 2; readonly path: string }[]> {
  const own = (await text('/proc/self/cgroup')).split('\n').map((line) => line.split(':'));
  const mounts = (await text('/proc/self/mounts')).split('\n').map((line) => line.split(' '));
  return mounts.flatMap(([, at = '', type = '', flags = '']) => {
    const version = type === 'cgroup2' ? 2 : type === 'cgroup' && flags.split(',').includes(name) ? 1 : undefined;
    if (version === undefined) return [];
    const mine = own.find(([, names = '']) => (version === 2 ? names === '' : names.split(',').includes(name)))?.[2] ?? '/';
    const paths: string[] = [];
    for (let path = mine.includes('..') ? '/' : mine; ; path = dirname(path)) {
      paths.push(join(at, path));
      if (path === '/') return paths.map((path) => ({ version, path }));
    }
  });
}

/** A process can be put into it, and out of it. */
async function hosts(group: string, back: string): Promise<void> {
  const child = spawn('sleep', [String(RUN_MS / 1_000)], { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  try {
    await enter(group, child.pid ?? 0);
    await enter(back, child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

function groupsIn(parent: string, version: 1 | 2, folder: string): Controller {
  const groups = new Map<number, { readonly path: string; readonly back: string }>();
  const release = async (pid: number): Promise<void> => {
    const group = groups.get(pid);
    if (group === undefined) return;
    groups.delete(pid);
    // Children that it started since are in it too.
    for (const member of (await text(join(group.path, 'cgroup.procs'))).split('\n').filter(Boolean))
      await enter(group.back, Number(member)).catch(() => undefined);
    await removed(group.path);
  };
  return {
    version,
    async limit(pid, settings) {
      const known = groups.get(pid);
      const path = known?.path ?? join(parent, `${groupName(folder)}-${pid}`);
      if (known === undefined) {
        await mkdir(path);
        groups.set(pid, { path, back: parent });
      }
      for (const [file, value] of Object.entries(settings)) await writeFile(join(path, file), value);
      if (known === undefined) await enter(path, pid);
    },
    release,
    async releaseAll() {
      await Promise.all([...groups.keys()].map(release));
    },
  };
}

/** A process that was killed is in its group until the kernel is done with it. */
async function removed(group: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rmdir(group);
    } catch (error) {
      if (tries === REMOVE_TRIES) throw new NexaError('unavailable', `a control group stays: ${because(error)}`, { where: { group } });
      await setTimeout(REMOVE_MS);
    }
  }
}

const enter = (group: string, pid: number): Promise<void> => writeFile(join(group, 'cgroup.procs'), String(pid));
const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
