import { command, defineAgent, internal, Refused } from 'nexa';
import { z } from 'zod';
import { account } from './account.ts';

const transfer = z.object({
  transfer: z.string(),
  from: z.string(),
  to: z.string(),
  cents: z.int().positive(),
  state: z.enum(['begun', 'withdrawn', 'refunding', 'completed', 'refused', 'refunded']),
});
type Transfer = z.output<typeof transfer>;
type State = Transfer['state'];

const STEP_MS = 2_000;
const AGAIN_MS = 250;

/** What is asked for in a state, what follows when it is done, and when it is refused. A state that is not here is final. */
const STEPS: Readonly<
  Partial<Record<State, { readonly ask: 'withdraw' | 'deposit' | 'refund'; readonly done: State; readonly refused?: State }>>
> = {
  begun: { ask: 'withdraw', done: 'withdrawn', refused: 'refused' },
  withdrawn: { ask: 'deposit', done: 'completed', refused: 'refunding' },
  refunding: { ask: 'refund', done: 'refunded' },
};

/**
 * Moves money between accounts of its own bank, whose ids begin with its own. A step is asked for only after the one before it is stored, and
 * under an id of its own: whoever takes over after a crash repeats the step that may have been made, and it is made once.
 */
export const teller = defineAgent({
  type: 'drill-teller',
  version: 1,
  commands: {
    transfer: command(transfer.omit({ state: true }).shape, { reply: transfer.pick({ state: true }) }),
    read: command({}, { reply: z.object({ transfers: z.array(transfer) }) }),
    step: internal({ transfer: z.string() }),
    stepped: internal({ transfer: z.string(), before: transfer.shape.state, after: transfer.shape.state }),
  },
  state: z.object({ transfers: z.array(transfer) }),
  initial: { transfers: [] },
}).handle(
  {
    transfer(context, wanted) {
      const known = context.state.transfers.find((each) => each.transfer === wanted.transfer);
      if (known !== undefined) return { reply: { state: known.state } };
      context.after(0, { type: 'step', transfer: wanted.transfer });
      return { state: { transfers: [...context.state.transfers, { ...wanted, state: 'begun' }] }, reply: { state: 'begun' } };
    },
    step(context, given) {
      const at = context.state.transfers.find((each) => each.transfer === given.transfer);
      const step = at && STEPS[at.state];
      if (at === undefined || step === undefined) return;
      const ref = context.agent(account, `${context.id}-${step.ask === 'deposit' ? at.to : at.from}`);
      context.pipe(
        (signal) => ref.ask({ type: step.ask, cents: at.cents }, { timeoutMs: STEP_MS, requestId: `${at.transfer}/${step.ask}`, signal }),
        (outcome) => {
          const after = outcome.ok ? step.done : outcome.error instanceof Refused ? step.refused : undefined;
          return { type: 'stepped', transfer: at.transfer, before: at.state, after: after ?? at.state };
        },
      );
    },
    stepped(context, { transfer: id, before, after }) {
      context.after(before === after ? AGAIN_MS : 0, { type: 'step', transfer: id });
      if (before === after) return;
      return {
        state: {
          transfers: context.state.transfers.map((each) =>
            each.transfer === id && each.state === before ? { ...each, state: after } : each,
          ),
        },
      };
    },
    read: ({ state }) => ({ reply: { transfers: [...state.transfers] } }),
  },
  {
    started(context) {
      for (const each of context.state.transfers)
        if (STEPS[each.state] !== undefined) context.after(0, { type: 'step', transfer: each.transfer });
    },
  },
);
