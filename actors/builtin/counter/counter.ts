import { defineAgent } from '../../../src/agent/define.ts';
import { count, counterProtocol } from './protocol.ts';

/** See {@link counterProtocol}. */
export const counter = defineAgent({
  ...counterProtocol,
  summary: 'Counts, and never forgets an acknowledged addition.',
  state: count,
  initial: { value: 0 },
}).handle({
  add({ state }, { by }) {
    const next = { value: state.value + by };
    // Beyond the safe integers an addition would be acknowledged and lost.
    if (!Number.isSafeInteger(next.value)) return { refused: 'out-of-range', details: state };
    return { state: next, reply: next };
  },
  get: ({ state }) => ({ reply: state }),
});
