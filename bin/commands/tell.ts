import type { Command } from '../command.ts';
import { agentOf, messageOf } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Sends a command to an agent and waits for nothing: at most once.',
  args: [
    { name: 'agent', about: '<type>/<id>' },
    { name: 'command', about: 'the command as JSON' },
  ],
  examples: [`nexa tell counter/alice '{"type":"add","by":1}'`],
  async run({ args, connect }) {
    const { type, id } = agentOf(args.agent);
    const message = messageOf(args.command);
    await (await connect()).tellRaw(type, id, message);
    return { json: { told: { type, id } }, text: () => `told ${plain(`${type}/${id}`)}` };
  },
};
