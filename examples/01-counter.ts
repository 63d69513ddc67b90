// A counter with durable state: one definition gives the types, the validation of JSON from outside, the schemas and the help.
import { command, defineAgent, startNode } from 'nexa';
import { z } from 'zod';

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

// On the servers that NEXA_NATS_URL names, else in this process alone: the same runtime.
await using node = await startNode({ agents: [counter] });
const { ref: alice } = await node.spawn(counter, { id: 'alice' });
const { value: now } = await alice.ask({ type: 'add', by: 2 }, { timeoutMs: 1_000 });
console.log(now satisfies number);
