import { NexaError } from '../../../../../src/errors.ts';
import { run } from '../../../../../src/programs/run.ts';

const TOOL_MS = 5_000;

/** What a tool of the system said, without a shell. @throws NexaError `unavailable` when it is missing, late or fails. */
export async function tool(command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { timeoutMs: TOOL_MS });
  if (code === 0) return stdout;
  throw new NexaError('unavailable', `${command}: ${stderr.trim().slice(0, 300) || `exit code ${code}`}`, { where: { command } });
}

/** What went wrong as one line, for whoever is told why something cannot be done. */
export const because = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.trim() ?? '';
