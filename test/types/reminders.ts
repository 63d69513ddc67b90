import { z } from 'zod';
import { command, defineAgent, internal, local } from '../../index.ts';

/** A reminder keeps what may be stored: public and internal commands, never local ones; types say so before anything runs. */
export const reminded = defineAgent({
  type: 'reminded',
  version: 1,
  commands: {
    arm: command({}),
    ring: internal({ text: z.string() }),
    add: command({ by: z.int().default(1) }),
    flush: local<{ at: number }>(),
  },
  state: z.object({}),
  initial: {},
}).handle({
  async arm(context) {
    await context.remind('ring', { inMs: 1_000 }, { type: 'ring', text: 'hello' });
    await context.remind('add', { cron: '0 12 * * *', timeZone: 'Europe/Berlin' }, { type: 'add' });
    // @ts-expect-error a local command may hold anything, and so is not stored
    await context.remind('flush', { atMs: 5 }, { type: 'flush', at: 1 });
    // @ts-expect-error the fields are those of the command
    await context.remind('ring', { everyMs: 1_000 }, { type: 'ring' });
    // @ts-expect-error one schedule at a time has to be given
    await context.remind('ring', { weekly: true }, { type: 'ring', text: 'hello' });
    await context.forget('ring');
  },
  ring: ({ reminder }) => void (reminder === undefined ? 0 : reminder.dueAtMs + reminder.missed),
  add: () => undefined,
  flush: () => undefined,
});
