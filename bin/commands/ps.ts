import type { Command } from '../command.ts';
import { plain, stateText, table } from '../output.ts';
import { agentsOf } from '../shapes.ts';

/** What fits into one answer of a server with its default limit of 1 MiB. */
const MOST_ROWS = 5_000;
/** States that somebody has to do something about. */
const AMISS = ['quarantined', 'unplaced'];

export const command: Command = {
  summary: 'Lists the agents of the cluster.',
  args: [{ name: 'type', about: 'only this type', optional: true }],
  examples: ['nexa ps', 'nexa ps counter -o json'],
  async run({ args, connect, progress }) {
    const { cluster } = await connect();
    const agents = agentsOf(await cluster.list({ limit: MOST_ROWS, ...(args.type === undefined ? {} : { type: args.type }) }));
    if (agents.length === MOST_ROWS) progress(`only the first ${MOST_ROWS} agents are shown; name a type to see fewer`);
    return {
      json: agents,
      text: (style) =>
        table(
          ['agent', 'state', 'node', 'epoch', 'mailbox', 'restarts', 'why'],
          agents.map(({ type, id, state, node, epoch, mailbox, restarts, why }) => [
            plain(`${type}/${id}`),
            stateText(state, style),
            plain(node ?? '-'),
            `${epoch ?? '-'}`,
            `${mailbox ?? '-'}`,
            `${restarts ?? '-'}`,
            AMISS.includes(state) ? plain(why) : '',
          ]),
          style,
        ),
    };
  },
};
