import { command, defineAgent, internal, type Message, receive } from 'nexa';
import { z } from 'zod';

/** Where somebody asks who is there, and where whoever is there answers. */
export const ROLL = 'drill.roll';
export const HERE = 'drill.here';

/** Who answers: an agent, or an actor that this agent made in that epoch. */
export interface Here extends Message {
  readonly type: 'here';
  readonly agent: string;
  readonly epoch: number;
  readonly child: string | null;
}

/** An agent with plain actors under it; all of them answer when the roll is called. */
export const household = defineAgent({
  type: 'drill-household',
  version: 1,
  commands: { bear: command({ child: z.string() }, { reply: z.object({ epoch: z.int() }) }), answer: internal({}) },
  state: z.object({ born: z.int() }),
  initial: { born: 0 },
}).handle(
  {
    bear(context, { child }) {
      const here: Here = { type: 'here', agent: `drill-household/${context.id}`, epoch: context.epoch, child };
      context.spawn<Message>(
        {
          behavior: (own) => {
            own.topic(ROLL).subscribe(() => ({ type: 'answer' }));
            return receive(() => void own.topic<Here>(HERE).publish(here));
          },
        },
        child,
      );
      return { state: { born: context.state.born + 1 }, reply: { epoch: context.epoch } };
    },
    answer(context) {
      context.topic<Here>(HERE).publish({ type: 'here', agent: `drill-household/${context.id}`, epoch: context.epoch, child: null });
    },
  },
  {
    started(context) {
      context.topic(ROLL).subscribe(() => ({ type: 'answer' }));
    },
  },
);
