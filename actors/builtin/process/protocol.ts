import { z } from 'zod';
import { defineProtocol } from '../../../src/agent/check.ts';
import { command, local } from '../../../src/agent/command.ts';

/** What a process agent may send: to stop, to interrupt, to reload. Ending it for good is stopping the agent. */
export const processSignals = ['TERM', 'INT', 'HUP'] as const;

const status = z.object({
  process: z.string(),
  state: z.enum(['running', 'ended']),
  pid: z.int(),
  /** How long it has run, in milliseconds. */
  uptimeMs: z.int(),
  /** Lines it has written, and how many of them were too many to be told as events. */
  lines: z.int(),
  untold: z.int(),
});
const line = z.object({ stream: z.enum(['stdout', 'stderr']), text: z.string(), cut: z.boolean() });
const nothing = z.null();

/**
 * One program that the node's own configuration names: an agent says which, a message never says what to run. Its end is the
 * agent's crash; stopping the agent ends the program and everything in its process group.
 */
export const processProtocol = defineProtocol({
  type: 'process',
  version: 1,
  commands: {
    status: command({}, { reply: status, summary: 'Whether it runs, since when, and how much it wrote.' }),
    output: command(
      { lines: z.int().min(1).max(1_000).default(100) },
      {
        reply: z.object({ lines: z.array(line), dropped: z.int() }),
        summary: 'The end of what it wrote, oldest first; `dropped` counts what is no longer kept.',
      },
    ),
    write: command(
      { text: z.string().max(65_536), end: z.boolean().default(false) },
      {
        refusals: { 'not-running': nothing, backlogged: z.object({ waitingBytes: z.int() }) },
        summary: 'Gives it text on its standard input, and with `end` no more.',
      },
    ),
    signal: command(
      { signal: z.enum(processSignals) },
      { refusals: { 'not-running': nothing }, summary: 'Sends TERM, INT or HUP to its process group.' },
    ),
    ended: local<{ readonly code: number | null; readonly signal: string | null; readonly lastLine: string | undefined }>(),
  },
});
