// On demand: what nearly all of a large number of agents are, most of the time.
import { command, defineAgent } from 'nexa';
import { z } from 'zod';

const state = z.object({ visits: z.int() });
export const visitor = defineAgent({
  type: 'bench-visitor',
  version: 1,
  commands: { visit: command({}, { reply: state }) },
  state,
  initial: { visits: 0 },
  activation: { onDemand: true, mostActive: 500 },
}).handle({
  visit: ({ state: { visits } }) => ({ state: { visits: visits + 1 }, reply: { visits: visits + 1 } }),
});
