import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError, toNexaError } from '../errors.ts';
import { stagingFolder, storeInCache } from '../programs/cache.ts';
import { type FetchOptions, type FetchProgress, unpackPackage } from '../programs/unpack-package.ts';
import { serverCache } from './cached.ts';
import { judge } from './candidate.ts';
import type { NatsServerBinary } from './find.ts';
import { INSTALL_HELP } from './install-help.ts';

export type { FetchOptions, FetchProgress };

/**
 * Fills the project's own cache with Debian's signed nats-server package: from the machine's own mirror, without root and without
 * touching the system's apt or dpkg state. Two processes may do so at once. `suite` is `forky` if none is given: what it has needs
 * nothing newer than the C library of Debian 12.
 * @throws NexaError `unavailable`, with every other way to get a server as its fix; `cancelled` by `signal`.
 */
export async function fetchNatsServer(options: FetchOptions): Promise<NatsServerBinary> {
  try {
    return await fetchFromDebian({ suite: 'forky', ...options });
  } catch (thrown) {
    const { code, message, where } = toNexaError(thrown, 'unavailable');
    if (code === 'cancelled') throw thrown;
    throw new NexaError('unavailable', `cannot fetch nats-server: ${message}`, { where, fix: INSTALL_HELP, cause: thrown });
  }
}

async function fetchFromDebian(options: FetchOptions): Promise<NatsServerBinary> {
  const cache = serverCache(options.env);
  const staging = await stagingFolder(cache);
  try {
    const tree = await unpackPackage('nats-server', staging, options);
    const unpacked = join(tree, 'usr', 'sbin', 'nats-server');
    const { verdict, version, reason } = await judge(unpacked, 'cache', false);
    if (verdict === 'refused' || version === undefined) throw new NexaError('unavailable', `the fetched nats-server ${reason}`);
    const prepared = join(staging, 'out');
    await mkdir(prepared, { mode: 0o755 });
    await rename(unpacked, join(prepared, 'nats-server'));
    await chmod(join(prepared, 'nats-server'), 0o755);
    const serverIn = (place: string) => join(place, 'nats-server');
    const works = async (place: string) => (await judge(serverIn(place), 'cache', false)).verdict === 'taken';
    const place = await storeInCache(prepared, join(cache, version), works);
    return { path: serverIn(place), source: 'cache', version, ...(reason === undefined ? {} : { warning: reason }) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
