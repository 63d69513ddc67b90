import { command, defineAgent } from 'nexa';
import { z } from 'zod';

/** Publishes numbers, from 1 in each activation, on the topic it is told. */
export const announcer = defineAgent({
  type: 'drill-announcer',
  version: 1,
  commands: { announce: command({ topic: z.string() }, { reply: z.object({ publisher: z.string(), n: z.int() }) }) },
  storage: 'memory',
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
}).handle({
  announce(context, { topic }) {
    const news = { publisher: `drill-announcer/${context.id}@${context.epoch}`, n: context.state.n + 1 };
    context.topic(topic).publish({ type: 'news', ...news });
    return { state: { n: news.n }, reply: news };
  },
});
