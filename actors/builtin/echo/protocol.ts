import { z } from 'zod';
import { defineProtocol } from '../../../src/agent/check.ts';
import { command } from '../../../src/agent/command.ts';

const text = z.object({ text: z.string() });

/** Says back what it is told: the smallest agent there is, for trying out a cluster. */
export const echoProtocol = defineProtocol({
  type: 'echo',
  version: 1,
  commands: { echo: command({ text: z.string() }, { reply: text, summary: 'Answers with the same text.' }) },
});
