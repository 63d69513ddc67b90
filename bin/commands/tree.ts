import { toNexaError } from '../../src/errors.ts';
import type { Command } from '../command.ts';
import { errorLine, plain, type Style, stateText } from '../output.ts';
import { nodesOf, type TreeShape, treeOf } from '../shapes.ts';

function line({ name, state, mailbox, restarts, lastReason }: TreeShape, style: Style): string {
  const facts = [stateText(state, style)];
  if (mailbox > 0) facts.push(`mailbox ${mailbox}`);
  if (restarts > 0) facts.push(style.warn(`restarts ${restarts}`));
  if (lastReason !== null) facts.push(style.dim(`last ${plain(lastReason)}`));
  return `${plain(name)}  ${facts.join('  ')}`;
}
function lines(branch: TreeShape, style: Style): readonly string[] {
  const below = branch.children.flatMap((child, index) => {
    const last = index === branch.children.length - 1;
    const [first = '', ...rest] = lines(child, style);
    return [`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((inner) => `${last ? '   ' : '│  '}${inner}`)];
  });
  return [line(branch, style), ...below];
}

export const command: Command = {
  summary: 'Shows the live tree of actors of the whole cluster, with restarts and their last reason.',
  args: [{ name: 'node', about: 'only this node', optional: true }],
  examples: ['nexa tree', 'nexa tree n1 -o json'],
  async run({ args, connect }) {
    const { cluster } = await connect();
    const nodes =
      args.node === undefined
        ? nodesOf(await cluster.nodes())
            .filter(({ state }) => state !== 'gone')
            .map(({ node }) => node)
        : [args.node];
    // A node that dies meanwhile must not hide the others; one that was named is the answer itself.
    const trees = await Promise.all(
      nodes.map(async (node) => {
        try {
          return { node, tree: treeOf(await cluster.tree(node)) };
        } catch (error) {
          if (args.node !== undefined) throw error;
          return { node, error: toNexaError(error, 'internal').toJSON() };
        }
      }),
    );
    return {
      json: trees,
      text: (style) =>
        trees
          .flatMap((entry) => ('tree' in entry ? lines(entry.tree, style) : [`${plain(entry.node)}  ${errorLine(entry.error, style)}`]))
          .join('\n'),
    };
  },
};
