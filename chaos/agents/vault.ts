import { command, defineAgent } from 'nexa';
import { z } from 'zod';

const write = z.object({ holder: z.string(), token: z.int(), value: z.int() });
const token = z.object({ token: z.int() });

/** What a lock guards: takes writes, and none under an older token than the newest it has seen. */
export const vault = defineAgent({
  type: 'drill-vault',
  version: 1,
  commands: {
    write: command(write.shape, { reply: token, refusals: { stale: token } }),
    read: command({}, { reply: z.object({ writes: z.array(write) }) }),
  },
  state: z.object({ writes: z.array(write) }),
  initial: { writes: [] },
}).handle({
  write({ state }, given) {
    const newest = state.writes.at(-1)?.token ?? 0;
    if (given.token < newest) return { refused: 'stale', details: { token: newest } };
    return { state: { writes: [...state.writes, given] }, reply: { token: given.token } };
  },
  read: ({ state }) => ({ reply: { writes: [...state.writes] } }),
});
