import { z } from 'zod';
import { defineProtocol } from '../../../src/agent/check.ts';
import { command } from '../../../src/agent/command.ts';

/** The counter's answer and its state. */
export const count = z.object({ value: z.int() });

/** A whole number that survives crashes: every answered addition is stored. */
export const counterProtocol = defineProtocol({
  type: 'counter',
  version: 1,
  commands: {
    add: command(
      { by: z.int().default(1) },
      { reply: count, refusals: { 'out-of-range': count }, summary: 'Adds `by` (default 1) and answers once that is stored.' },
    ),
    get: command({}, { reply: count, summary: 'Answers with the value.' }),
  },
});
