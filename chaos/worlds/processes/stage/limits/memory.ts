import { readFile } from 'node:fs/promises';
import { controller } from './cgroup.ts';
import type { Limit, Machines } from './limit.ts';
import { onProcesses } from './on-processes.ts';
import { because } from './tool.ts';

const LEAST_BYTES = 1_048_576;
const FILE = { 1: 'memory.limit_in_bytes', 2: 'memory.max' } as const;

/**
 * The kernel kills a node's process that takes more than so much: exit code 137 to its launcher. Only by a control group: any other limit
 * makes allocations fail instead, which is not what a machine without memory does.
 *
 * What a process has when it enters a group is not charged to the group: it may take what it lacks to the limit, and not more. A limit
 * below what it has already ends it with the next page that it takes.
 */
export async function memory(machines: Pick<Machines, 'folder' | 'pid'>): Promise<Limit> {
  const groups = await controller('memory', FILE, machines.folder).catch(because);
  return onProcesses(machines, 'memory', {
    cannot: typeof groups === 'string' ? `no control group for memory: ${groups}` : undefined,
    of: ({ mostBytes }) => mostBytes,
    async set(pid, mostBytes) {
      if (typeof groups === 'string') return async () => undefined;
      const most = String(Math.max(LEAST_BYTES, mostBytes - (await residentBytes(pid))));
      await groups.limit(
        pid,
        groups.version === 1 ? { 'memory.swappiness': '0', [FILE[1]]: most } : { 'memory.swap.max': '0', [FILE[2]]: most },
      );
      return () => groups.release(pid);
    },
  });
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}
