import { command, defineAgent, internal, local, streaming } from 'nexa';
import { z } from 'zod';

const count = z.object({ value: z.int() });

/** An agent whose effects follow from messages, timers and reminders. */
export const ticker = defineAgent({
  type: 'ticker',
  version: 1,
  commands: {
    add: command({}, { reply: count }),
    get: command({}, { reply: count }),
    after: command({ ms: z.int() }),
    every: command({ ms: z.int() }),
    remind: command({ everyMs: z.int() }),
    countTo: streaming({ to: z.int(), everyMs: z.int() }, { item: count }),
    fired: local(),
    due: internal({}),
  },
  state: count,
  initial: { value: 0 },
}).handle({
  add: ({ state }) => ({ state: { value: state.value + 1 }, reply: { value: state.value + 1 } }),
  get: ({ state }) => ({ reply: state }),
  after: (context, { ms }) => void context.after(ms, { type: 'fired' }),
  every: (context, { ms }) => void context.every(ms, { type: 'fired' }),
  remind: (context, { everyMs }) => context.remind('due', { everyMs }, { type: 'due' }),
  countTo: (context, { to, everyMs }) => ({
    stream: async function* () {
      for (let value = 1; value <= to; value++) {
        await new Promise<void>((resolve) => void context.clock.after(everyMs, resolve));
        yield { value };
      }
    },
  }),
  fired: ({ state }) => ({ state: { value: state.value + 1 } }),
  due: ({ state }) => ({ state: { value: state.value + 1 } }),
});
