import { command, defineAgent, internal } from 'nexa';
import { z } from 'zod';
import { runs } from './runs.ts';

const news = z.object({ publisher: z.string().max(200), n: z.int().positive() });
const heard = z.object({ heard: runs });

/** Keeps what it hears on a topic. */
export const listener = defineAgent({
  type: 'drill-listener',
  version: 1,
  commands: { hear: internal(news.shape), read: command({}, { reply: heard }) },
  config: z.object({ topic: z.string() }),
  state: heard,
  initial: { heard: [] },
}).handle(
  {
    hear({ state, epoch }, { publisher, n }) {
      const before = state.heard.findLast((each) => each.of === publisher && each.epoch === epoch);
      if (before === undefined || n !== before.to + 1)
        return { state: { heard: [...state.heard, { of: publisher, epoch, from: n, to: n }] } };
      return { state: { heard: state.heard.map((each) => (each === before ? { ...each, to: n } : each)) } };
    },
    read: ({ state }) => ({ reply: { heard: [...state.heard] } }),
  },
  {
    started(context) {
      context.topic<{ type: string }>(context.config.topic).subscribe((message) => ({ type: 'hear', ...news.parse(message) }));
    },
  },
);
