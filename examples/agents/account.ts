// An account that comes into being with its first deposit, and is never overdrawn. `nexa node --agents examples/agents` runs it.
import { command, defineAgent, defineProtocol } from 'nexa';
import { z } from 'zod';

const cents = z.int().positive();
const balance = z.object({ cents: z.int() });

export const account = defineProtocol({
  type: 'account',
  version: 1,
  commands: {
    deposit: command({ cents }, { reply: balance }),
    withdraw: command({ cents }, { reply: balance, refusals: { 'insufficient-funds': balance } }),
  },
});

export const accountAgent = defineAgent({
  ...account,
  state: balance,
  initial: { cents: 0 },
  activation: { onDemand: true, idleMs: 60_000 },
}).handle({
  deposit({ state }, { cents }) {
    const after = { cents: state.cents + cents };
    return { state: after, reply: after };
  },
  withdraw({ state }, { cents }) {
    if (state.cents < cents) return { refused: 'insufficient-funds', details: state };
    const after = { cents: state.cents - cents };
    return { state: after, reply: after };
  },
});
