import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../errors.ts';
import type { Environment } from './cache.ts';
import { debianMirror, readRelease } from './debian-mirror.ts';
import { type PrivateApt, privateApt } from './private-apt.ts';

/** `percent` is of the running step, 0 to 100, where it can be told. */
export interface FetchProgress {
  readonly step: 'mirror' | 'index' | 'download' | 'unpack';
  readonly percent?: number;
}

export interface FetchOptions {
  readonly env: Environment;
  /**
   * The Debian suite to take a package from, alone, when another release's is wanted. Default: the machine's own, and with it whatever
   * that package needs and this machine lacks.
   */
  readonly suite?: string;
  /** For everything together. Default 180,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Default /etc/os-release. */
  readonly osRelease?: string;
}

const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MOST_PACKAGES = 32;

/**
 * Debian's signed package of that name, unpacked below `staging`: from the machine's own mirror, without root and without touching the
 * system's apt or dpkg state. Nothing of it is run.
 * @returns the folder that stands for `/`.
 * @throws NexaError `unavailable`, `cancelled` by `signal`.
 */
export async function unpackPackage(name: string, staging: string, options: FetchOptions): Promise<string> {
  const { env, timeoutMs = 180_000, onProgress = () => {}, osRelease, signal } = options;
  const release = await readRelease(osRelease);
  if (release?.id !== 'debian' || release.codename === '') throw new NexaError('unavailable', 'this machine is not a released Debian');
  const deadline = performance.now() + timeoutMs;
  const step = (at: FetchProgress['step']) => {
    onProgress({ step: at });
    return (percent: number) => onProgress({ step: at, percent });
  };
  const apt = await privateApt(staging, {
    env,
    leftMs: () => Math.max(1, Math.ceil(deadline - performance.now())),
    ...(signal === undefined ? {} : { signal }),
  });
  step('mirror');
  const mirror = await debianMirror(apt, release);
  if (mirror === undefined) throw new NexaError('unavailable', `no apt source of this machine is Debian's ${release.codename}`);
  await apt.useSource(`deb ${await signedBy()}${mirror} ${options.suite ?? release.codename} main`);
  await apt.ownSource('apt-get', ['update'], step('index'));
  const names = options.suite === undefined ? await withMissing(apt, name) : [name];
  await apt.ownSource('apt-get', ['download', ...names], step('download'));
  step('unpack');
  const files = (await readdir(staging)).filter((file) => file.endsWith('.deb'));
  if (!files.some((file) => file.startsWith(`${name}_`))) throw new NexaError('unavailable', 'apt-get download left no package');
  const tree = join(staging, 'tree');
  for (const file of files) await apt.system('dpkg', ['-x', join(staging, file), tree]);
  return tree;
}

/** The package and what an installation would add to this machine with it; a simulation needs no root. */
async function withMissing(apt: PrivateApt, name: string): Promise<readonly string[]> {
  const { stdout } = await apt.ownSource('apt-get', ['install', '--simulate', '--no-install-recommends', name]);
  const added = [...stdout.matchAll(/^Inst ([a-z0-9][a-z0-9+.-]{1,100}) /gm)].map(([, added = '']) => added);
  if (added.length > MOST_PACKAGES) throw new NexaError('unavailable', `${name} needs ${added.length} packages that this machine lacks`);
  // One that is installed, but without the file that was looked for, is still fetched.
  return [...new Set([name, ...added])];
}

const signedBy = () =>
  access(DEBIAN_KEYRING).then(
    () => `[signed-by=${DEBIAN_KEYRING}] `,
    () => '',
  );
