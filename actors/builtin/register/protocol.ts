import { z } from 'zod';
import { defineProtocol } from '../../../src/agent/check.ts';
import { command } from '../../../src/agent/command.ts';

/** The register's answer and its state: any JSON value, null at first. */
export const held = z.object({ value: z.json() });

/** One JSON value with compare-and-set: what a linearizability check writes to. */
export const registerProtocol = defineProtocol({
  type: 'register',
  version: 1,
  commands: {
    read: command({}, { reply: held, summary: 'Answers with the value.' }),
    write: command({ value: z.json() }, { reply: held, summary: 'Replaces the value, answers once that is stored.' }),
    cas: command(
      { from: z.json(), to: z.json() },
      { reply: held, refusals: { mismatch: held }, summary: 'Replaces `from` by `to`; refused with the present value if it is another.' },
    ),
  },
});
