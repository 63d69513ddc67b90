import { z } from 'zod';
import { defineAgent } from '../../../src/agent/define.ts';
import { echoProtocol } from './protocol.ts';

/** See {@link echoProtocol}. Remembers nothing. */
export const echo = defineAgent({
  ...echoProtocol,
  summary: 'Says back what it is told.',
  state: z.null(),
  initial: null,
  storage: 'memory',
}).handle({ echo: (_context, { text }) => ({ reply: { text } }) });
