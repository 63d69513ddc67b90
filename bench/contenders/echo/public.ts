import { command, defineAgent, startNode } from 'nexa';
import { z } from 'zod';
import { dialNats } from '../nats.ts';
import { type Echo, type EchoCaller, TEXT, TIMEOUT_MS } from './echo.ts';

/** Any NATS client: it sends JSON to a subject and reads the JSON that comes back. */
async function requests(url: string, subject: unknown): Promise<EchoCaller> {
  const nats = await dialNats(url);
  return {
    async ask(n) {
      const question = JSON.stringify({ type: 'echo', n, text: TEXT });
      const message = await nats.request(String(subject), question, { timeout: TIMEOUT_MS });
      const answer = message.json<{ readonly ok: boolean; readonly reply: { readonly n: number } }>();
      if (!answer.ok) throw new Error(message.string());
      return answer.reply.n;
    },
    stop: () => nats.close(),
  };
}
const question = { n: z.int(), text: z.string() };

/** An agent, asked through its public subject. */
export const publicAgent: Echo = {
  async far(url) {
    let handled = 0;
    const agent = defineAgent({
      type: 'bench-echo',
      version: 1,
      commands: { echo: command(question, { reply: z.object(question) }) },
      storage: 'memory',
      state: z.null(),
      initial: null,
    }).handle({
      echo(_context, { n, text }) {
        handled++;
        return { reply: { n, text } };
      },
    });
    const node = await startNode({ nats: url, cluster: 'bench', agents: [agent] });
    await node.spawn(agent, { id: 'a' });
    return { said: 'nexa.bench.v1.agent.bench-echo.a', handled: () => handled, stop: () => node.stop() };
  },
  near: requests,
};

/** A callback that reads the JSON and answers as much: no schema, no deadline, no owner, no agent. */
export const bareResponder: Echo = {
  async far(url) {
    const nats = await dialNats(url);
    let handled = 0;
    nats.subscribe('bench.public', {
      callback: (_error, message) => {
        handled++;
        const { n, text } = message.json<{ readonly n: number; readonly text: string }>();
        message.respond(JSON.stringify({ ok: true, reply: { n, text } }));
      },
    });
    await nats.flush();
    return { said: 'bench.public', handled: () => handled, stop: () => nats.close() };
  },
  near: requests,
};
