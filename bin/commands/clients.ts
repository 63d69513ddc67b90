import type { Command } from '../command.ts';
import { plain, table } from '../output.ts';
import { clientsOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists the programs that are connected to the cluster.',
  examples: ['nexa clients', 'nexa clients -o json'],
  async run({ connect }) {
    const clients = clientsOf(await (await connect()).cluster.clients());
    return {
      json: clients,
      text: (style) =>
        table(
          ['name', 'client', 'accepted by', 'since', 'heartbeat'],
          clients.map(({ client, name, node, since, heartbeatMs }) => [
            plain(name ?? '-'),
            plain(client),
            plain(node ?? '-'),
            since ?? '-',
            heartbeatMs === null ? '-' : `${heartbeatMs}ms`,
          ]),
          style,
        ),
    };
  },
};
