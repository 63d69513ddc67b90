import { spawn } from 'node:child_process';

/**
 * Makes sure that a process does not outlive this one, however this one ends: a tiny shell in a session of its own waits on a
 * pipe that only we hold, and kills the process when the pipe breaks. It works without anybody's help on every Unix, when a whole
 * process group is killed, and for a process that is stopped. Call the result once the process is known to be gone.
 * @param pid of a process, or negative: everybody in that process group.
 * @param signal `CONT`: it is not killed but goes on, for a process that we have stopped.
 */
export function killWithUs(pid: number, signal: 'KILL' | 'CONT' = 'KILL'): () => void {
  const watcher = spawn(
    '/bin/sh',
    ['-c', 'trap "" HUP INT TERM; read -r line && exit 0; kill -"$2" "$1"', 'nexa-guard', String(pid), signal],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
    },
  );
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  // A pipe of a child is a socket; it must not keep our event loop alive either.
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => {
    watcher.stdin.end('gone\n');
  };
}
