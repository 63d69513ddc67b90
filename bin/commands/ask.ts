import { isAnsweredWithStream } from '../../src/client.ts';
import type { Command } from '../command.ts';
import { agentOf, durationMs, messageOf, text } from '../options.ts';
import { json } from '../output.ts';

export const command: Command = {
  summary: 'Asks an agent and prints its reply, or the items of its stream.',
  args: [
    { name: 'agent', about: '<type>/<id>' },
    { name: 'command', about: 'the command as JSON, see nexa types <type>' },
  ],
  options: [
    { flags: '--timeout <duration>', about: 'how long to wait, for a stream between two items (default 5s)' },
    { flags: '--request-id <id>', about: 'repeating it has one effect on a durable agent' },
  ],
  examples: [`nexa ask counter/alice '{"type":"add","by":1}'`, `nexa ask counter/alice '{"type":"get"}' --timeout 500ms -o json`],
  async run({ args, options, connect, emit, ended }) {
    const { type, id } = agentOf(args.agent);
    const message = messageOf(args.command);
    const requestId = text(options.requestId);
    const timeoutMs = durationMs(options.timeout, 5_000);
    const client = await connect();
    let reply: unknown;
    try {
      reply = await client.askRaw(type, id, message, { timeoutMs, ...(requestId === undefined ? {} : { requestId }) });
    } catch (thrown) {
      if (!isAnsweredWithStream(thrown)) throw thrown;
      for await (const item of client.streamRaw(type, id, message, { idleTimeoutMs: timeoutMs, signal: ended() }))
        emit({ json: item, text: () => json(item) });
      return undefined;
    }
    return { json: reply, text: () => (reply === undefined || reply === null ? 'done' : json(reply)) };
  },
};
