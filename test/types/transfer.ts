// Compiled by `npm run types`, never run: refs in commands, slow work outside the turn, a deferred reply, typed refusals.
import { z } from 'zod';
import type { ReplyTo } from '../../src/actor/ref.ts';
import type { Outcome } from '../../src/actor/signal.ts';
import { defineProtocol } from '../../src/agent/check.ts';
import { command, local } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { refusedBy } from '../../src/agent/outcome.ts';
import { refTo } from '../../src/agent/ref-to.ts';

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
export const accountAgent = defineAgent({
  ...account,
  config: z.object({ overdraftCents: z.int().nonnegative() }),
  state: z.object({ cents: z.int(), open: z.boolean() }),
  initial: ({ config }) => ({ cents: config.overdraftCents * 0, open: true }),
}).handle({
  deposit: ({ state }, { cents: more }) => ({ state: { ...state, cents: state.cents + more }, reply: { cents: state.cents + more } }),
  withdraw({ state, config }, { cents: less }) {
    if (!state.open) return { refused: 'closed', details: {} };
    if (state.cents + config.overdraftCents < less) return { refused: 'insufficient-funds', details: { cents: state.cents } };
    return { state: { ...state, cents: state.cents - less }, reply: { cents: state.cents - less } };
  },
  close: ({ state }) => ({ state: { ...state, open: false }, next: 'stop' }),
});

const done = z.object({ fromCents: z.int(), toCents: z.int() });
type Done = z.output<typeof done>;

export const transfer = defineAgent({
  type: 'transfer',
  version: 1,
  commands: {
    start: command(
      { from: refTo(account), to: refTo(account), cents: z.int().positive() },
      { reply: done, refusals: { 'insufficient-funds': z.object({ cents: z.int() }) } },
    ),
    settled: local<{ outcome: Outcome<Done>; replyTo: ReplyTo<Done> }>(),
  },
  state: z.object({ phase: z.enum(['new', 'running', 'done', 'failed']) }),
  initial: { phase: 'new' },
}).handle({
  start(context, { from, to, cents: moved }) {
    const replyTo = context.replyTo;
    context.pipe(
      async (signal) => {
        const taken = await from.ask({ type: 'withdraw', cents: moved }, { timeoutMs: 5_000, signal, requestId: `${context.id}/withdraw` });
        const given = await to.ask({ type: 'deposit', cents: moved }, { timeoutMs: 5_000, signal, requestId: `${context.id}/deposit` });
        return { fromCents: taken.cents, toCents: given.cents };
      },
      (outcome) => ({ type: 'settled', outcome, replyTo }),
    );
    return { state: { phase: 'running' }, deferred: true };
  },
  settled(_context, { outcome, replyTo }) {
    if (outcome.ok) {
      replyTo.tell(outcome.value);
      return { state: { phase: 'done' } };
    }
    const refused = refusedBy(account.commands.withdraw, outcome.error);
    replyTo.refuse(outcome.error);
    return { state: { phase: refused?.refusal === 'insufficient-funds' ? 'failed' : 'new' } };
  },
});
