import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { facts, json, plain } from '../output.ts';
import { record } from '../shapes.ts';
import { summaries } from '../status-text.ts';

const shown = (value: unknown): string => plain(typeof value === 'string' ? value : json(value));

export const command: Command = {
  summary: 'Shows how a node is; without a name, how any one node sees the cluster.',
  args: [{ name: 'node', about: 'its name, see nexa nodes', optional: true }],
  options: [{ flags: '--ready', about: 'ends with 1 unless the node is ready: for probes' }],
  examples: ['nexa status', 'nexa status n1 -o json', 'nexa status n1 --ready'],
  async run({ args, options, connect }) {
    const status = record(await (await connect()).cluster.status(args.node));
    return {
      json: status,
      text: (style) => {
        const lines = Object.entries(status).map(
          ([name, value]) => [plain(name), summaries[name]?.(value, style) ?? shown(value)] as const,
        );
        return facts(lines, style);
      },
      exit: options.ready === true && status.ready !== true ? EXIT.failure : EXIT.ok,
    };
  },
};
