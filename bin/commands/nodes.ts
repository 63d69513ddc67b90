import type { Command } from '../command.ts';
import { plain, type Style, stateText, table } from '../output.ts';
import { type NodeShape, nodesOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists the nodes of the cluster.',
  examples: ['nexa nodes', 'nexa nodes -o json'],
  async run({ connect }) {
    const nodes = nodesOf(await (await connect()).cluster.nodes());
    return {
      json: nodes,
      text: (style) =>
        table(
          ['node', 'state', 'ready', 'agents', 'lag', 'pid', 'version', 'labels', 'incarnation'],
          nodes.map(({ node, state, ready, degraded, suspended, cordoned, full, agents, lagMs, pid, version, labels, incarnation }) => [
            plain(node),
            [
              stateText(state, style),
              ...(suspended ? [style.warn('suspended')] : []),
              ...(cordoned ? [style.warn('cordoned')] : []),
              ...(full ? [style.warn('full')] : []),
            ].join(' '),
            readyText({ ready, degraded }, style),
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

function readyText({ ready, degraded }: Pick<NodeShape, 'ready' | 'degraded'>, style: Style): string {
  if (ready === null) return '-';
  const text = ready ? 'yes' : style.warn('no');
  return degraded === true ? `${text} ${style.warn('degraded')}` : text;
}
