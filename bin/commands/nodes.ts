import type { Command } from '../command.ts';
import { plain, stateText, table } from '../output.ts';
import { nodesOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists the nodes of the cluster.',
  examples: ['nexa nodes', 'nexa nodes -o json'],
  async run({ connect }) {
    const nodes = nodesOf(await (await connect()).cluster.nodes());
    return {
      json: nodes,
      text: (style) =>
        table(
          ['node', 'state', 'agents', 'lag', 'pid', 'version', 'labels', 'incarnation'],
          nodes.map(({ node, state, suspended, cordoned, agents, lagMs, pid, version, labels, incarnation }) => [
            plain(node),
            [stateText(state, style), ...(suspended ? [style.warn('suspended')] : []), ...(cordoned ? [style.warn('cordoned')] : [])].join(
              ' ',
            ),
            `${agents ?? '-'}`,
            lagMs === null ? '-' : `${lagMs}ms`,
            `${pid ?? '-'}`,
            plain(version),
            plain(
              Object.entries(labels)
                .map(([name, value]) => `${name}=${value}`)
                .join(','),
            ),
            `${incarnation ?? '-'}`,
          ]),
          style,
        ),
    };
  },
};
