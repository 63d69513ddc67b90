import type { Command } from '../command.ts';
import { required } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Kills a node at once (SIGKILL by its launcher), to see what happens.',
  args: [{ name: 'node', about: 'its name, see nexa nodes' }],
  examples: ['nexa kill n2'],
  async run({ args, connect }) {
    const node = required(args.node, 'the node');
    await (await connect()).cluster.killNode(node);
    return { json: { killed: node }, text: () => `killed ${plain(node)}` };
  },
};
