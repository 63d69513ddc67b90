import type { Place } from '../../../../act.ts';
import { type Controller, controller } from './cgroup.ts';
import type { Limit, Machines } from './limit.ts';
import { onProcesses } from './on-processes.ts';

const FILE = { 1: 'cpu.cfs_quota_us', 2: 'cpu.max' } as const;
/** Of the kernel: a process that has had its share of it waits for the next. */
const PERIOD_US = 100_000;
/** Of our own. */
const CYCLE_MS = 20;

/**
 * A node's process gets so much of one core. By a control group where there is one to use; else it is stopped and woken up in cycles of
 * 20 ms, which any user may do to a process of his own.
 */
export async function cpu(
  machines: Pick<Machines, 'folder' | 'clock' | 'pid' | 'isPaused'>,
  options: { readonly by?: 'signals' } = {},
): Promise<Limit & { readonly by: 'groups' | 'signals' }> {
  const groups = options.by === 'signals' ? undefined : await controller('cpu', FILE, machines.folder).catch(() => undefined);
  const limit = onProcesses(machines, 'cpu', {
    cannot: undefined,
    of: ({ percent }) => percent,
    async set(pid, percent, place) {
      if (groups === undefined) {
        const cancel = cycles(machines, { place, pid, percent });
        return async () => cancel();
      }
      await groups.limit(pid, quota(groups, percent));
      return () => groups.release(pid);
    },
  });
  return { ...limit, by: groups === undefined ? 'signals' : 'groups' };
}

const quota = ({ version }: Controller, percent: number): Readonly<Record<string, string>> => {
  const us = Math.max(1_000, Math.round((PERIOD_US * percent) / 100));
  return version === 1 ? { 'cpu.cfs_period_us': String(PERIOD_US), [FILE[1]]: String(us) } : { [FILE[2]]: `${us} ${PERIOD_US}` };
};

function cycles(
  machines: Pick<Machines, 'clock' | 'isPaused' | 'pid'>,
  { place, pid, percent }: { readonly place: Place; readonly pid: number; readonly percent: number },
): () => void {
  const runMs = (CYCLE_MS * Math.min(percent, 100)) / 100;
  let cancel: () => void = () => undefined;
  /** Whether it is still there to be woken up, or stopped, again. */
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): boolean => {
    if (machines.pid(place) !== pid) return false;
    if (machines.isPaused(place)) return true;
    try {
      return process.kill(pid, name);
    } catch {
      return false;
    }
  };
  const wait = (ms: number, then: () => void): void => {
    cancel = machines.clock.after(ms, then);
  };
  const stop = (): void => {
    if (signal('SIGSTOP')) wait(CYCLE_MS - runMs, go);
  };
  const go = (): void => {
    if (signal('SIGCONT')) wait(runMs, stop);
  };
  if (runMs < CYCLE_MS) stop();
  return () => {
    cancel();
    signal('SIGCONT');
  };
}
