import { command, defineAgent } from 'nexa';
import { z } from 'zod';

const balance = z.object({ cents: z.int() });
const cents = z.int().positive();

/** Money that is never less than nothing, and as a deposit never more than `mostCents`; what is given back is always taken. */
export const account = defineAgent({
  type: 'drill-account',
  version: 1,
  commands: {
    withdraw: command({ cents }, { reply: balance, refusals: { insufficient: balance } }),
    deposit: command({ cents }, { reply: balance, refusals: { full: balance } }),
    refund: command({ cents }, { reply: balance }),
    read: command({}, { reply: balance }),
  },
  config: z.object({ openingCents: z.int(), mostCents: z.int() }),
  state: balance,
  initial: ({ config }) => ({ cents: config.openingCents }),
}).handle({
  withdraw: ({ state }, { cents }) => (state.cents < cents ? { refused: 'insufficient', details: state } : changed(state.cents - cents)),
  deposit: ({ state, config }, { cents }) =>
    state.cents + cents > config.mostCents ? { refused: 'full', details: state } : changed(state.cents + cents),
  refund: ({ state }, { cents }) => changed(state.cents + cents),
  read: ({ state }) => ({ reply: state }),
});

const changed = (cents: number) => ({ state: { cents }, reply: { cents } });
