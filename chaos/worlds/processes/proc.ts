import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of processes in /proc; elsewhere little or nothing is known, and said so by being empty. */

const read = (pid: number | string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
};
const pids = (): readonly number[] => {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
};
/** State letter and parent. The name before them may hold anything, brackets too. */
const stat = (pid: number): { readonly state: string; readonly parent: number } | undefined => {
  const [, state, parent] = /^.*\) (\S) (\d+)/s.exec(read(pid, 'stat')) ?? [];
  return state === undefined ? undefined : { state, parent: Number(parent) };
};
const ended = (state: string): boolean => state === 'Z' || state === 'X';

/** Whether that process runs, or is stopped; one that has ended and was not yet buried does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = stat(pid);
  return now === undefined ? !existsSync('/proc/self/stat') : !ended(now.state);
}

/** Stopped by a signal, as of now. */
export const isStopped = (pid: number): boolean => stat(pid)?.state === 'T';

/** Everybody whom these started, and whom those started, and so on. */
export function descendants(roots: readonly number[]): readonly number[] {
  const children = new Map<number, number[]>();
  for (const pid of pids()) {
    const parent = stat(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (let next = [...roots]; next.length > 0; ) {
    next = next.flatMap((pid) => children.get(pid) ?? []).filter((pid) => !found.includes(pid));
    found.push(...next);
  }
  return found;
}

/** Processes that were started with this value in their environment, with their command lines; not this one. */
export function marked(variable: string, value: string): readonly { readonly pid: number; readonly command: string }[] {
  const entry = `${variable}=${value}`;
  return pids()
    .filter((pid) => pid !== process.pid && isAlive(pid))
    .filter((pid) =>
      read(pid, 'environ')
        .split('\0')
        .some((each) => each === entry || each.startsWith(`${entry}/`)),
    )
    .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 200) }));
}

/** False: there is no such process. */
export function signalTo(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Whether it ended in time; looks every 10 ms. */
export async function endsWithin(pid: number, withinMs: number): Promise<boolean> {
  for (const untilMs = performance.now() + withinMs; isAlive(pid); ) {
    if (performance.now() > untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
