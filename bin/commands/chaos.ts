import { attachTo } from '../chaos/attach.ts';
import { type Command, UsageError } from '../command.ts';

type Run = Command['run'];
const ACTIONS: Readonly<Record<string, Run>> = { attach: attachTo };

export const command: Command = {
  summary: 'Breaks things on purpose: drills on a cluster of their own that end with a report, or one fault on a running cluster.',
  args: [
    { name: 'action', about: Object.keys(ACTIONS).join(', ') },
    { name: 'what', about: 'attach: kill, pause or drain', optional: true },
    { name: 'node', about: 'attach: the name of the node', optional: true },
  ],
  options: [
    { flags: '--seconds <count>', about: 'attach: after so long it is mended (default 20, most 60)' },
    { flags: '--yes', about: 'attach: does not ask' },
  ],
  examples: ['nexa chaos attach kill n2', 'nexa chaos attach pause n2 --seconds 20 --yes', 'nexa chaos attach drain n2 --seconds 30'],
  async run(invocation) {
    const { action = '' } = invocation.args;
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (run === undefined) throw new UsageError(`nexa chaos takes ${Object.keys(ACTIONS).join(', ')}, not ${JSON.stringify(action)}`);
    return run(invocation);
  },
};
