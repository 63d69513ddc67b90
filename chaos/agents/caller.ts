import { command, defineAgent, local, type Outcome, type ReplyTo } from 'nexa';
import { z } from 'zod';
import { callee } from './callee.ts';

const called = z.object({
  caller: z.string(),
  from: z.int(),
  to: z.int(),
  pushedBack: z.int(),
  asked: z.object({ code: z.string().nullable(), definite: z.boolean(), tookMs: z.number(), timeoutMs: z.int() }),
});
type Called = z.output<typeof called>;

/** Tells another agent numbers, from 1 in each activation, and asks it the next; answers with what it saw of that. */
export const caller = defineAgent({
  type: 'drill-caller',
  version: 1,
  commands: {
    call: command({ callee: z.string(), tells: z.int().min(0).max(20), timeoutMs: z.int().positive() }, { reply: called }),
    answered: local<{
      said: Omit<Called, 'asked'>;
      askedAtMs: number;
      timeoutMs: number;
      outcome: Outcome<void>;
      replyTo: ReplyTo<Called>;
    }>(),
  },
  storage: 'memory',
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
}).handle({
  call(context, { callee: id, tells, timeoutMs }) {
    const self = `drill-caller/${context.id}@${context.epoch}`;
    const to = context.agent(callee, id);
    const from = context.state.n + 1;
    const asked = from + tells;
    let pushedBack = 0;
    for (let n = from; n < asked; n++) if (!to.tell({ type: 'note', caller: self, n, asked: false })) pushedBack++;
    const said = { caller: self, from, to: asked - 1, pushedBack };
    const askedAtMs = context.clock.monotonicMs();
    // Sent here, and not in what is piped: in the order of the turns.
    const answer = to.ask({ type: 'note', caller: self, n: asked, asked: true }, { timeoutMs, signal: context.signal });
    const { replyTo } = context;
    context.pipe(
      () => answer,
      (outcome) => ({ type: 'answered', said, askedAtMs, timeoutMs, outcome, replyTo }),
    );
    return { state: { n: asked }, deferred: true };
  },
  answered(context, { said, askedAtMs, timeoutMs, outcome, replyTo }) {
    const tookMs = context.clock.monotonicMs() - askedAtMs;
    const code = outcome.ok ? null : outcome.error.code;
    replyTo.tell({ ...said, asked: { code, definite: !outcome.ok && outcome.error.definite, tookMs, timeoutMs } });
  },
});
