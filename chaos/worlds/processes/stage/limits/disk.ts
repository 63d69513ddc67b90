import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../../../../../src/errors.ts';
import type { Place } from '../../../../act.ts';
import type { Limit, Machines } from './limit.ts';
import { tool } from './tool.ts';

/** Of a server's disk; memory of this machine is taken only for what is in it. */
const DISK_BYTES = 512 * 1_048_576;
const FILL_TRIES = 20;
/** How long a server may take to find out by itself that there is room again. */
const NOTICES_MS = 3_000;
const LOOK_MS = 200;

/**
 * Each server's store is on a small disk of its own: a tmpfs, which becomes as large as what is in it, and large again.
 *
 * A nats-server that could not write says so on its health page and does not try again by itself: to free its disk means to start it again,
 * as its operator would, unless it is well without that.
 */
export async function disk(
  machines: Pick<Machines, 'clock' | 'ownMounts' | 'wants' | 'pid' | 'serverFolder' | 'isHealthy' | 'kill' | 'start'>,
): Promise<Limit> {
  const storeOf = (server: Place): string => join(machines.serverFolder(server), 'store');
  const reason = !machines.wants('fill-disk')
    ? 'the servers were not started for it'
    : machines.ownMounts
      ? undefined
      : 'without a namespace of its own a mount would outlive the drill';
  const mounted = new Set<Place>();
  const full = new Set<Place>();
  const resize = (server: Place, bytes: number) => tool('mount', '-o', `remount,size=${bytes}`, storeOf(server));

  const fill = async (server: Place): Promise<void> => {
    if (full.has(server) || !mounted.has(server)) return;
    for (let tries = 1; ; tries++) {
      const { blocks, bfree, bsize } = await statfs(storeOf(server));
      try {
        await resize(server, (blocks - bfree) * bsize);
        full.add(server);
        return;
      } catch (error) {
        // It has written more in between.
        if (tries === FILL_TRIES) throw error;
      }
    }
  };
  const free = async (server: Place): Promise<void> => {
    if (!full.delete(server)) return;
    await resize(server, DISK_BYTES);
    if (machines.pid(server) === undefined) return;
    const untilMs = machines.clock.monotonicMs() + NOTICES_MS;
    while (!(await machines.isHealthy(server))) {
      if (machines.clock.monotonicMs() > untilMs) {
        await machines.kill(server);
        return machines.start(server);
      }
      await new Promise<void>((resolve) => void machines.clock.after(LOOK_MS, resolve));
    }
  };

  return {
    acts: ['fill-disk', 'free-disk'],
    cannot: () => reason,
    async prepare(server) {
      if (reason !== undefined) return;
      await mkdir(storeOf(server), { recursive: true, mode: 0o700 });
      await tool('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', storeOf(server));
      mounted.add(server);
    },
    async apply(act) {
      if (act.act !== 'heal' && reason !== undefined) throw new NexaError('unavailable', reason);
      if (act.act === 'fill-disk') await fill(act.server);
      else if (act.act === 'free-disk') await free(act.server);
      else if (act.act === 'heal') await Promise.all([...full].map(free));
    },
    async close() {
      for (const server of mounted) await tool('umount', storeOf(server)).catch(() => undefined);
    },
  };
}
