import { type Command, UsageError } from '../command.ts';
import { agentOf, durationMs, messageOf, text } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Sends a command to an agent and waits for nothing; with --durable it is stored first, and then handled for certain.',
  args: [
    { name: 'agent', about: '<type>/<id>' },
    { name: 'command', about: 'the command as JSON' },
  ],
  options: [
    { flags: '--durable', about: 'ends when a quorum has stored it' },
    { flags: '--message-id <id>', about: 'with --durable: a repeat under one id is the same message (default: a fresh one)' },
    { flags: '--timeout <duration>', about: 'with --durable: how long to wait (default 5s)' },
  ],
  examples: [
    `nexa tell counter/alice '{"type":"add","by":1}'`,
    `nexa tell counter/alice '{"type":"add","by":1}' --durable --message-id invoice-17`,
  ],
  async run({ args, options, connect }) {
    const { type, id } = agentOf(args.agent);
    const message = messageOf(args.command);
    const messageId = text(options.messageId);
    if (options.durable === true) {
      const given = { timeoutMs: durationMs(options.timeout, 5_000), ...(messageId === undefined ? {} : { messageId }) };
      const stored = await (await connect()).tellDurablyRaw(type, id, message, given);
      return { json: { stored: { type, id, messageId: stored } }, text: () => `stored for ${plain(`${type}/${id}`)} as ${plain(stored)}` };
    }
    if (messageId !== undefined || options.timeout !== undefined) throw new UsageError('--message-id and --timeout are of --durable');
    await (await connect()).tellRaw(type, id, message);
    return { json: { told: { type, id } }, text: () => `told ${plain(`${type}/${id}`)}` };
  },
};
