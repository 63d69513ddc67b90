import { NexaError } from '../../src/errors.ts';
import type { Command } from '../command.ts';
import { durationMs, required } from '../options.ts';
import { plain } from '../output.ts';
import { drainedOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Moves the agents of a node to others and keeps new ones off; the node stays, until `nexa uncordon` or `nexa stop node`.',
  args: [{ name: 'node', about: 'its name' }],
  options: [{ flags: '--timeout <duration>', about: 'how long to go on (default 30s)' }],
  examples: ['nexa drain n2', 'nexa drain n2 --timeout 2m && nexa stop node n2'],
  async run({ args, options, connect }) {
    const node = required(args.node, 'the name of the node');
    const { moved, left, lostMemory, blocked } = drainedOf(
      await (await connect()).cluster.drain(node, { timeoutMs: durationMs(options.timeout, 30_000) }),
    );
    if (left > 0) {
      const labels = Object.entries(blocked?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
      throw new NexaError('unavailable', `${moved} agents moved, ${left} are still on ${node}`, {
        where: {
          node,
          ...(blocked === null ? {} : { agent: `${blocked.type}/${blocked.id}`, version: `${blocked.version}` }),
          ...(labels.length === 0 ? {} : { labels: labels.join(',') }),
        },
        definite: false,
        fix:
          blocked === null
            ? 'Run it again: the time was over.'
            : 'Start a node that runs this type and version and has these labels, or stop the agent.',
      });
    }
    return {
      json: { node, moved, left, lostMemory },
      text: (style) =>
        `${moved} agents moved, ${plain(node)} is in maintenance${lostMemory === 0 ? '' : style.warn(`; ${lostMemory} of them kept their state in memory only and began anew`)}`,
    };
  },
};
