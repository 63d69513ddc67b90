import type { Command } from '../command.ts';
import { durationMs, required } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Lets a node take agents again, after a cordon or a drain.',
  args: [{ name: 'node', about: 'its name' }],
  options: [{ flags: '--timeout <duration>', about: 'how long to wait (default 5s)' }],
  examples: ['nexa uncordon n2'],
  async run({ args, options, connect }) {
    const node = required(args.node, 'the name of the node');
    await (await connect()).cluster.cordon(node, false, { timeoutMs: durationMs(options.timeout, 5_000) });
    return { json: { node, cordoned: false }, text: () => `${plain(node)} takes agents again` };
  },
};
