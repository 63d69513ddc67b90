// One who produces as much as is taken.
import { defineAgent, defineProtocol, streaming } from 'nexa';
import { z } from 'zod';

export const fountainProtocol = defineProtocol({
  type: 'bench-fountain',
  version: 1,
  commands: {
    flow: streaming({ bytes: z.int().positive(), items: z.int().positive() }, { item: z.object({ index: z.int(), text: z.string() }) }),
  },
});
export const fountain = defineAgent({ ...fountainProtocol, state: z.null(), initial: null, storage: 'memory' }).handle({
  flow: (_context, { bytes, items }) => ({
    stream: async function* () {
      const text = 'x'.repeat(bytes);
      for (let index = 0; index < items; index++) yield { index, text };
    },
  }),
});
