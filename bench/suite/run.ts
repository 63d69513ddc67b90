import { forkRun, type Order } from './child.ts';
import type { Measure, Seen } from './workload.ts';

export interface RunOptions {
  readonly order: Order;
  readonly measures: Readonly<Record<string, Measure>>;
  /** Where it keeps what it writes: removed afterwards, whatever became of it. */
  readonly folder: string;
  /** A run that has said nothing for so long is given up. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** One run of one contender in fresh processes, none of which outlives it. @throws when it failed, or lost something */
export function run({ order, measures, folder, limitMs, signal }: RunOptions): Promise<Seen['values']> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // A group of its own: whatever it starts can be ended with it.
    const child = forkRun(order, { detached: true, env: { ...process.env, TMPDIR: folder } });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nobody is left.
      }
    };
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    let seen: unknown;
    child.on('message', (message: { readonly seen?: unknown }) => {
      seen = message?.seen;
    });
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    signal.addEventListener('abort', end);
    child.once('error', reject);
    child.once('exit', end);
    // After `close` nothing more of it comes.
    child.once('close', (code, killed) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', end);
      if (signal.aborted) return reject(signal.reason);
      const how = late ? `was given up after ${limitMs / 1_000} s` : `ended with ${killed ?? code}`;
      const fault = seen === undefined ? `${how}\n${said}`.trimEnd() : faultOf(seen as Seen, measures);
      if (fault === undefined) resolve((seen as Seen).values);
      else reject(new Error(fault));
    });
  });
}

/** Why no figure comes of what a run says that it saw. */
export function faultOf({ values, expected, seen }: Seen, measures: Readonly<Record<string, Measure>>): string | undefined {
  if (!(expected > 0)) return `nothing was expected: ${expected}`;
  if (seen !== expected) return `${seen} of ${expected} were accounted for`;
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return 'it measured nothing';
  for (const [measure, value] of entries) {
    if (measures[measure] === undefined) return `nobody knows the measure ${measure}`;
    // NaN travels as null.
    if (!Number.isFinite(value)) return `${measure} is ${value}`;
  }
  return undefined;
}
