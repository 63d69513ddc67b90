import { spawn } from 'node:child_process';
import { NexaError } from '../errors.ts';

export interface Ran {
  /** Exit code, or null if a signal ended it. */
  readonly code: number | null;
  /** The last 64 kB of each. */
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_CHARS = 65_536;

/**
 * A short-lived command, without a shell, bounded in time and output. `onStatus` gets the lines it writes to descriptor 3.
 * @throws NexaError `unavailable` if it cannot be started or is not done after `timeoutMs`, `cancelled` by `signal`: it is killed then.
 */
export function run(
  command: string,
  args: readonly string[],
  options: {
    readonly timeoutMs: number;
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly signal?: AbortSignal;
    readonly onStatus?: (line: string) => void;
  },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const over = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    // The whole group: apt-get's download methods would hold our pipes open after it.
    const end = () => child.pid !== undefined && killGroup(child.pid);
    if (over.aborted) end();
    else over.addEventListener('abort', end);
    const kept = { stdout: '', stderr: '', status: '' };
    const keep = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      kept[name] = (kept[name] + chunk.toString('utf8')).slice(-KEPT_CHARS);
    };
    child.stdout?.on('data', keep('stdout'));
    child.stderr?.on('data', keep('stderr'));
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      const lines = (kept.status + chunk.toString('utf8')).slice(-KEPT_CHARS).split('\n');
      kept.status = lines.pop() ?? '';
      for (const line of lines) options.onStatus?.(line);
    });
    child.on('error', (cause) => {
      over.removeEventListener('abort', end);
      reject(new NexaError('unavailable', `cannot run ${command}: ${cause.message}`, { where: { command }, cause }));
    });
    child.on('close', (code) => {
      over.removeEventListener('abort', end);
      if (!over.aborted) return resolve({ code, stdout: kept.stdout, stderr: kept.stderr });
      const why = timeout.aborted ? `was not done after ${options.timeoutMs} ms` : 'was cancelled';
      reject(new NexaError(timeout.aborted ? 'unavailable' : 'cancelled', `${command} ${why}`, { where: { command } }));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself a moment ago.
  }
}
