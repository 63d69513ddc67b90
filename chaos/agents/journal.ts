import { command, defineEventSourced } from 'nexa';
import { z } from 'zod';
import { values } from './values.ts';

/** A list that only grows, by events; with a snapshot every few of them, so that a drill meets all of its ways to be read back. */
export const journal = defineEventSourced({
  type: 'drill-journal',
  version: 1,
  commands: { append: command({ value: z.int() }, { reply: values }), read: command({}, { reply: values }) },
  events: { appended: { value: z.int() } },
  state: values,
  initial: { values: [] },
  snapshotEvery: { events: 10 },
})
  .apply({ appended: (state, { value }) => ({ values: [...state.values, value] }) })
  .handle({
    append: (_context, { value }) => ({ events: [{ type: 'appended', value }], reply: (after) => after }),
    read: ({ state }) => ({ reply: { values: [...state.values] } }),
  });
