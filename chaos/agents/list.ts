import { command, defineAgent } from 'nexa';
import { values } from './values.ts';

/** A list that only grows. */
export const list = defineAgent({
  type: 'drill-list',
  version: 1,
  commands: { append: command({ value: values.shape.values.element }, { reply: values }), read: command({}, { reply: values }) },
  state: values,
  initial: { values: [] },
}).handle({
  append({ state }, { value }) {
    const next = { values: [...state.values, value] };
    return { state: next, reply: next };
  },
  read: ({ state }) => ({ reply: state }),
});
