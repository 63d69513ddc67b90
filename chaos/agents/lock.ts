import { command, defineAgent, internal } from 'nexa';
import { z } from 'zod';

const token = z.int();

/**
 * Gives one holder at a time a lease, with a token that rises. A lease ends when it is given back or its time is over by the clock of whoever
 * owns this agent then; after a failover its time begins anew. The holder is not told: that is what the token is for.
 */
export const lock = defineAgent({
  type: 'drill-lock',
  version: 1,
  commands: {
    acquire: command(
      { holder: z.string(), leaseMs: z.int().positive() },
      { reply: z.object({ token }), refusals: { held: z.object({ token }) } },
    ),
    release: command({ token }, { reply: z.object({ token }) }),
    read: command({}, { reply: z.object({ token }) }),
    expire: internal({ token }),
  },
  state: z.object({ token, held: z.object({ holder: z.string(), leaseMs: z.int() }).nullable() }),
  initial: { token: 0, held: null },
}).handle(
  {
    acquire(context, { holder, leaseMs }) {
      const { state } = context;
      if (state.held !== null) return { refused: 'held', details: { token: state.token } };
      const next = state.token + 1;
      context.after(leaseMs, { type: 'expire', token: next }, 'lease');
      return { state: { token: next, held: { holder, leaseMs } }, reply: { token: next } };
    },
    release: ({ state }, { token }) => (state.token === token ? { state: { token, held: null }, reply: { token } } : { reply: { token } }),
    expire: ({ state }, { token }) => (state.token === token ? { state: { token, held: null } } : undefined),
    read: ({ state }) => ({ reply: { token: state.token } }),
  },
  {
    started(context) {
      const { token, held } = context.state;
      if (held !== null) context.after(held.leaseMs, { type: 'expire', token }, 'lease');
    },
  },
);
