// A streaming reply: words flow by the reader's window; leaving the loop cancels whatever makes them.
import { type AgentRef, command, defineAgent, startNode, streaming } from 'nexa';
import { z } from 'zod';

/** Stands for a model that is called over the network: it heeds the signal. */
async function* model(prompt: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<string> {
  for (const word of `${prompt} upon a time there was an actor. It had a mailbox.`.split(/(?= )/)) {
    if (signal.aborted) return;
    yield word;
  }
}

export const writer = defineAgent({
  type: 'writer',
  version: 1,
  commands: {
    write: streaming({ prompt: z.string().max(10_000) }, { item: z.object({ text: z.string() }) }),
    count: command({}, { reply: z.object({ written: z.int() }) }),
  },
  config: z.object({ model: z.string() }),
  state: z.object({ written: z.int() }),
  initial: { written: 0 },
  storage: 'memory',
  exclusive: false,
}).handle({
  write: ({ state }, { prompt }) => ({
    state: { written: state.written + 1 },
    stream: async function* (signal) {
      for await (const text of model(prompt, { signal })) yield { text };
    },
  }),
  count: ({ state }) => ({ reply: state }),
});

export async function firstSentence(ref: AgentRef<typeof writer.commands>): Promise<string> {
  let text = '';
  for await (const item of ref.stream({ type: 'write', prompt: 'Once' }, { idleTimeoutMs: 10_000, window: 8 })) {
    text += item.text;
    if (text.includes('.')) break; // cancels at the producer
  }
  return text;
}

await using node = await startNode({ agents: [writer] });
const { ref } = await node.spawn(writer, { id: 'anna', config: { model: 'small' } });
console.log(await firstSentence(ref));
