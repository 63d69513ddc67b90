import { type Main, main } from '../../bin/main.ts';
import type { Environment } from '../../supervisors/config.ts';

export const quietEnvironment: Environment = { noColor: false, ci: false, path: '' };

/** One command line in this process: what it wrote and how it ended. */
export async function nexa(
  argv: readonly string[],
  options: {
    readonly connect?: Main['connect'];
    readonly environment?: Environment;
    readonly isTTY?: boolean;
    readonly ended?: AbortSignal;
    readonly folder?: string;
  } = {},
): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY: options.isTTY ?? false,
    columns: 100,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exit = await main({
    argv,
    environment: options.environment ?? quietEnvironment,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    ...(options.folder === undefined ? {} : { folder: options.folder }),
    ...(options.connect === undefined ? {} : { connect: options.connect }),
    ...(options.ended === undefined ? {} : { ended: options.ended }),
    // Nobody waits in a test; the others get their turn.
    wait: () => new Promise((resolve) => setImmediate(resolve)),
  });
  return { exit, ...written };
}
