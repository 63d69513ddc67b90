import type { Command } from '../command.ts';
import { facts, json, plain } from '../output.ts';
import { record } from '../shapes.ts';

const shown = (value: unknown): string => plain(typeof value === 'string' ? value : json(value));

export const command: Command = {
  summary: 'Shows how a node is; without a name, how any one node sees the cluster.',
  args: [{ name: 'node', about: 'its name, see nexa nodes', optional: true }],
  examples: ['nexa status', 'nexa status n1 -o json'],
  async run({ args, connect }) {
    const status = record(await (await connect()).cluster.status(args.node));
    return {
      json: status,
      text: (style) =>
        facts(
          Object.entries(status).map(([name, value]) => [plain(name), shown(value)] as const),
          style,
        ),
    };
  },
};
