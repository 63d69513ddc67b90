// An event-sourced account: the protocol (schemas only, what callers import) and the behaviour. Refusals are declared and typed.
import { command, defineEventSourced, defineProtocol } from 'nexa';
import { z } from 'zod';

const cents = z.int().positive();
const balance = z.object({ cents: z.int() });

export const account = defineProtocol({
  type: 'account',
  version: 2,
  commands: {
    deposit: command({ cents }, { reply: balance }),
    withdraw: command({ cents }, { reply: balance, refusals: { 'insufficient-funds': balance, closed: z.object({}) } }),
    close: command({}),
  },
});

export const accountAgent = defineEventSourced({
  ...account,
  config: z.object({ overdraftCents: z.int().nonnegative() }),
  events: { deposited: { cents }, withdrawn: { cents }, closed: {} },
  state: z.object({ cents: z.int(), open: z.boolean() }),
  initial: { cents: 0, open: true },
  // Version 1 stored whole currency units: in its events, and in the snapshots that stand for those before them.
  upcast: { 1: (event) => [{ ...event, data: { cents: 100 * (event.data as { units: number }).units } }] },
  upcastState: { 1: (state) => ({ cents: 100 * (state as { units: number }).units, open: (state as { open: boolean }).open }) },
  snapshotEvery: { events: 200 },
})
  .apply({
    deposited: (state, event) => ({ ...state, cents: state.cents + event.cents }),
    withdrawn: (state, event) => ({ ...state, cents: state.cents - event.cents }),
    closed: (state) => ({ ...state, open: false }),
  })
  .handle({
    deposit: (_context, { cents }) => ({
      events: [{ type: 'deposited', cents }],
      reply: (state) => ({ cents: state.cents }),
    }),
    withdraw({ state, config }, { cents }) {
      if (!state.open) return { refused: 'closed', details: {} };
      if (state.cents + config.overdraftCents < cents) return { refused: 'insufficient-funds', details: { cents: state.cents } };
      return { events: [{ type: 'withdrawn', cents }], reply: (after) => ({ cents: after.cents }) };
    },
    close: () => ({ events: [{ type: 'closed' }], next: 'passivate' }),
  });
