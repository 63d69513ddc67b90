import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError, toNexaError } from '../errors.ts';
import { cacheFolder, type Environment, stagingFolder, storeInCache } from './cache.ts';
import { judge } from './candidate.ts';
import { debianMirror, readRelease } from './debian-mirror.ts';
import type { NatsServerBinary } from './find.ts';
import { INSTALL_HELP } from './install-help.ts';
import { privateApt } from './private-apt.ts';

/** `percent` is of the running step, 0 to 100, where it can be told. */
export interface FetchProgress {
  readonly step: 'mirror' | 'index' | 'download' | 'unpack';
  readonly percent?: number;
}

export interface FetchOptions {
  readonly env: Environment;
  /** The Debian suite to take it from. Its package needs nothing newer than the C library of Debian 12. */
  readonly suite?: string;
  /** For everything together. Default 180,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Default /etc/os-release. */
  readonly osRelease?: string;
}

const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Fills the project's own cache with Debian's signed nats-server package: from the machine's own mirror, without root and without
 * touching the system's apt or dpkg state. Two processes may do so at once.
 * @throws NexaError `unavailable`, with every other way to get a server as its fix; `cancelled` by `signal`.
 */
export async function fetchNatsServer(options: FetchOptions): Promise<NatsServerBinary> {
  try {
    return await fetchFromDebian(options);
  } catch (thrown) {
    const { code, message, where } = toNexaError(thrown, 'unavailable');
    if (code === 'cancelled') throw thrown;
    throw new NexaError('unavailable', `cannot fetch nats-server: ${message}`, { where, fix: INSTALL_HELP, cause: thrown });
  }
}

async function fetchFromDebian(options: FetchOptions): Promise<NatsServerBinary> {
  const { env, suite = 'forky', timeoutMs = 180_000, onProgress = () => {}, osRelease, signal } = options;
  const release = await readRelease(osRelease);
  if (release?.id !== 'debian' || release.codename === '') throw new NexaError('unavailable', 'this machine is not a released Debian');
  const deadline = performance.now() + timeoutMs;
  const cache = cacheFolder(env);
  const staging = await stagingFolder(cache);
  const step = (name: FetchProgress['step']) => {
    onProgress({ step: name });
    return (percent: number) => onProgress({ step: name, percent });
  };
  try {
    const apt = await privateApt(staging, {
      env,
      leftMs: () => Math.max(1, Math.ceil(deadline - performance.now())),
      ...(signal === undefined ? {} : { signal }),
    });
    step('mirror');
    const mirror = await debianMirror(apt, release);
    if (mirror === undefined) throw new NexaError('unavailable', `no apt source of this machine is Debian's ${release.codename}`);
    await apt.useSource(`deb ${await signedBy()}${mirror} ${suite} main`);
    await apt.ownSource('apt-get', ['update'], step('index'));
    await apt.ownSource('apt-get', ['download', 'nats-server'], step('download'));
    step('unpack');
    const file = (await readdir(staging)).find((name) => name.startsWith('nats-server_') && name.endsWith('.deb'));
    if (file === undefined) throw new NexaError('unavailable', 'apt-get download left no package');
    await apt.system('dpkg', ['-x', join(staging, file), join(staging, 'tree')]);
    const unpacked = join(staging, 'tree', 'usr', 'sbin', 'nats-server');
    const { verdict, version, reason } = await judge(unpacked, 'cache', false);
    if (verdict === 'refused' || version === undefined) throw new NexaError('unavailable', `the fetched nats-server ${reason}`);
    const path = await storeInCache(cache, staging, unpacked, version);
    return { path, source: 'cache', version, ...(reason === undefined ? {} : { warning: reason }) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const signedBy = () =>
  access(DEBIAN_KEYRING).then(
    () => `[signed-by=${DEBIAN_KEYRING}] `,
    () => '',
  );
