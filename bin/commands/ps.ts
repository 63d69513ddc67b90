import type { Command } from '../command.ts';
import { plain, stateText, table } from '../output.ts';
import { agentsOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists the agents of the cluster.',
  args: [{ name: 'type', about: 'only this type', optional: true }],
  examples: ['nexa ps', 'nexa ps counter -o json'],
  async run({ args, connect }) {
    const { cluster } = await connect();
    const agents = agentsOf(await cluster.list(args.type === undefined ? {} : { type: args.type }));
    return {
      json: agents,
      text: (style) =>
        table(
          ['agent', 'state', 'node', 'epoch', 'mailbox', 'restarts'],
          agents.map(({ type, id, state, node, epoch, mailbox, restarts }) => [
            plain(`${type}/${id}`),
            stateText(state, style),
            plain(node ?? '-'),
            `${epoch ?? '-'}`,
            `${mailbox ?? '-'}`,
            `${restarts ?? '-'}`,
          ]),
          style,
        ),
    };
  },
};
