import { command, defineAgent } from 'nexa';
import { z } from 'zod';
import { values } from './values.ts';

/** Keeps what was sent to it durably. Nobody spawns it, it is put away when it is quiet, and poison it can never keep. */
export const letterbox = defineAgent({
  type: 'drill-letterbox',
  version: 1,
  commands: { write: command({ value: z.int(), poison: z.boolean() }), read: command({}, { reply: values }) },
  state: values,
  initial: { values: [] },
  activation: { onDemand: true, idleMs: 1_000 },
  limits: { tries: 2 },
}).handle({
  write({ state }, { value, poison }) {
    if (poison) throw new Error('poison');
    return { state: { values: [...state.values, value] } };
  },
  read: ({ state }) => ({ reply: state }),
});
