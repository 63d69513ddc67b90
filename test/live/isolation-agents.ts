import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Types that misbehave, in a folder of their own below `folder`: one holds the event loop, one takes a moment for each message. */
export async function rudeAgents(folder: string): Promise<string> {
  const agents = join(folder, 'agents');
  await mkdir(agents);
  await writeFile(
    join(agents, 'rude.ts'),
    `import { command, defineAgent } from 'nexa';
import { z } from 'zod';
const value = z.object({ value: z.int() });
export const stuck = defineAgent({
  type: 'stuck',
  version: 1,
  commands: { block: command({ ms: z.int() }, { reply: value }), add: command({}, { reply: value }), get: command({}, { reply: value }) },
  state: value,
  initial: { value: 0 },
  limits: { handlerMs: 200 },
}).handle({
  block({ state }, { ms }) {
    for (const until = performance.now() + ms; performance.now() < until; );
    return { state: { value: state.value + 100 }, reply: { value: state.value + 100 } };
  },
  add: ({ state }) => ({ state: { value: state.value + 1 }, reply: { value: state.value + 1 } }),
  get: ({ state }) => ({ reply: state }),
});
export const hoard = defineAgent({
  type: 'hoard',
  version: 1,
  commands: { take: command({ text: z.string() }), size: command({}, { reply: z.object({ taken: z.int() }) }) },
  state: z.object({ taken: z.int() }),
  initial: { taken: 0 },
  storage: 'memory',
}).handle({
  async take({ state }) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { state: { taken: state.taken + 1 } };
  },
  size: ({ state }) => ({ reply: state }),
});
`,
  );
  return agents;
}
