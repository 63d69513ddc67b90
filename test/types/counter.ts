// Compiled by `npm run types`, never run: a definition gives the types of its refs.
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import type { AgentRef } from '../../src/agent/protocol.ts';

const value = z.object({ value: z.int() });

export const counter = defineAgent({
  type: 'counter',
  version: 1,
  summary: 'Counts, and never forgets an acknowledged addition.',
  commands: {
    add: command({ by: z.int().default(1) }, { reply: value, summary: 'Adds, answers once stored.' }),
    get: command({}, { reply: value }),
  },
  state: value,
  initial: { value: 0 },
}).handle({
  add({ state }, { by }) {
    const next = { value: state.value + by };
    return { state: next, reply: next };
  },
  get: ({ state }) => ({ reply: state }),
});

export async function twice(alice: AgentRef<typeof counter.commands>): Promise<number> {
  const { value: now } = await alice.ask({ type: 'add', by: 2 }, { timeoutMs: 1_000 });
  return now satisfies number;
}
