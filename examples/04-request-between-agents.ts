// Agents on other nodes: a typed ask by name, slow work outside the turn, a deferred reply, idempotent steps.
import { command, defineAgent, local, type Outcome, type ReplyTo, refTo, refusedBy } from 'nexa';
import { z } from 'zod';
import { account } from './02-bank-account.ts';

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
  start(context, { from, to, cents }) {
    const replyTo = context.replyTo;
    context.pipe(
      async (signal) => {
        // The ids make a repeat after a crash harmless: each step happens once, whoever runs it, however often.
        const taken = await from.ask({ type: 'withdraw', cents }, { timeoutMs: 5_000, signal, requestId: `${context.id}/withdraw` });
        const given = await to.ask({ type: 'deposit', cents }, { timeoutMs: 5_000, signal, requestId: `${context.id}/deposit` });
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
