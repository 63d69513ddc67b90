// Event-sourced: one small event a turn, and no snapshot within a measurement's round.
import { command, defineEventSourced } from 'nexa';
import { z } from 'zod';

const state = z.object({ count: z.int() });
export const tally = defineEventSourced({
  type: 'bench-tally',
  version: 1,
  commands: { add: command({ by: z.int() }, { reply: state }) },
  events: { added: { by: z.int() } },
  state,
  initial: { count: 0 },
  snapshotEvery: { events: 10_000, bytes: 4_194_304 },
})
  .apply({ added: ({ count }, { by }) => ({ count: count + by }) })
  .handle({
    add: (_context, { by }) => ({ events: [{ type: 'added', by }], reply: (next) => next }),
  });
