import { command, defineAgent } from 'nexa';
import { z } from 'zod';
import { runs } from './runs.ts';

const handled = z.object({ handled: runs });

/** Keeps which numbers of whom it was told or asked, in the order in which it handled them. */
export const callee = defineAgent({
  type: 'drill-callee',
  version: 1,
  commands: { note: command({ caller: z.string(), n: z.int(), asked: z.boolean() }), read: command({}, { reply: handled }) },
  state: handled,
  initial: { handled: [] },
}).handle({
  note({ state, epoch }, { caller, n, asked }) {
    const last = state.handled.at(-1);
    const goesOn = last !== undefined && last.asked !== true && last.of === caller && last.epoch === epoch && last.to + 1 === n;
    const run = { of: caller, epoch, from: n, to: n, ...(asked ? { asked } : {}) };
    if (goesOn) return { state: { handled: [...state.handled.slice(0, -1), { ...last, to: n }] } };
    return { state: { handled: [...state.handled, run] } };
  },
  read: ({ state }) => ({ reply: { handled: [...state.handled] } }),
});
