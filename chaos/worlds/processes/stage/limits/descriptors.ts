import type { Limit, Machines } from './limit.ts';
import { onProcesses } from './on-processes.ts';
import { because, tool } from './tool.ts';

/**
 * How many files and sockets a node's process may have open. Only the soft limit is set, which can be taken back without rights; what is
 * open already stays open.
 */
export async function descriptors(machines: Pick<Machines, 'pid'>): Promise<Limit> {
  return onProcesses(machines, 'descriptors', {
    cannot: await tool('prlimit', '--version').then(() => undefined, because),
    of: ({ most }) => most,
    async set(pid, most, place) {
      const soft = (await tool('prlimit', '--pid', String(pid), '--nofile', '--output', 'SOFT', '--noheadings')).trim();
      await tool('prlimit', '--pid', String(pid), `--nofile=${most}:`);
      return async () => {
        if (machines.pid(place) === pid) await tool('prlimit', '--pid', String(pid), `--nofile=${soft}:`);
      };
    },
  });
}
