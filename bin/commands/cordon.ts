import type { Command } from '../command.ts';
import { durationMs, required } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Keeps new agents off a node; those it has stay.',
  args: [{ name: 'node', about: 'its name' }],
  options: [{ flags: '--timeout <duration>', about: 'how long to wait (default 5s)' }],
  examples: ['nexa cordon n2'],
  async run({ args, options, connect }) {
    const node = required(args.node, 'the name of the node');
    await (await connect()).cluster.cordon(node, true, { timeoutMs: durationMs(options.timeout, 5_000) });
    return { json: { node, cordoned: true }, text: () => `${plain(node)} takes no new agents` };
  },
};
