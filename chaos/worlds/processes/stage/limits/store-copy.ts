import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../../../../../src/errors.ts';
import type { Place } from '../../../../act.ts';
import type { Limit, Machines } from './limit.ts';

/** A server's state as it was at one instant, kept and put back: what a machine does whose disk comes from an old snapshot. */
export async function storeCopy(
  machines: Pick<Machines, 'folder' | 'serverFolder' | 'own' | 'pid' | 'isPaused' | 'kill' | 'start'>,
): Promise<Limit> {
  const storeOf = (server: Place): string => join(machines.serverFolder(server), 'store');
  const copyOf = (server: Place): string => join(machines.folder, 'store-copy', server);
  const copied = new Set<Place>();
  const copy = async (server: Place): Promise<void> => {
    const pid = machines.pid(server);
    const asleep = pid === undefined || machines.isPaused(server);
    // Files that change under a copy would be of no instant at all.
    if (!asleep) process.kill(pid, 'SIGSTOP');
    try {
      await replace(storeOf(server), copyOf(server));
    } finally {
      if (!asleep && machines.pid(server) === pid) process.kill(pid, 'SIGCONT');
    }
    copied.add(server);
  };
  const rollBack = async (server: Place): Promise<void> => {
    if (!copied.has(server)) throw new NexaError('context-misused', 'nothing was kept of that server', { where: { server } });
    await machines.kill(server);
    await replace(copyOf(server), storeOf(server));
    machines.own(storeOf(server));
    await machines.start(server);
  };
  return {
    acts: ['copy-store', 'roll-back'],
    cannot: () => undefined,
    // What was rolled back stays so.
    apply: async (act) => {
      if (act.act === 'copy-store') await copy(act.server);
      else if (act.act === 'roll-back') await rollBack(act.server);
    },
  };
}

/** The folder itself stays: it may be where something is mounted. */
async function replace(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(to)) await rm(join(to, entry), { recursive: true, force: true });
  await cp(from, to, { recursive: true, preserveTimestamps: true });
}
