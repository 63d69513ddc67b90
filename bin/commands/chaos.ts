import { drills, workloads } from '../../chaos/index.ts';
import { attachTo, ORDERS } from '../chaos/attach.ts';
import { check, report } from '../chaos/folder.ts';
import { list } from '../chaos/list.ts';
import { run, TIERS } from '../chaos/run.ts';
import { type Command, UsageError } from '../command.ts';

interface Action {
  readonly run: Command['run'];
  /** What it takes besides its arguments; other options are not its. */
  readonly options: readonly string[];
  readonly args: number;
}
const ACTIONS: Readonly<Record<string, Action>> = {
  list: { run: list, options: [], args: 0 },
  run: { run, options: ['seed', 'minutes', 'nodes', 'servers', 'workload', 'tier', 'world', 'agents', 'folder', 'script'], args: 1 },
  check: { run: check, options: [], args: 1 },
  report: { run: report, options: ['html'], args: 1 },
  attach: { run: attachTo, options: ['seconds', 'yes'], args: 2 },
};
const COMMON = ['output', 'nats', 'cluster', 'config'];

export const command: Command = {
  summary: 'Breaks things on purpose: drills on a cluster of their own that end with a report, or one fault on a running cluster.',
  args: [
    { name: 'action', about: Object.keys(ACTIONS).join(', '), values: Object.keys(ACTIONS) },
    {
      name: 'what',
      about: 'run: the drill; check, report: the folder; attach: kill, pause or drain',
      optional: true,
      values: { run: drills().map((drill) => drill.name), attach: ORDERS },
    },
    { name: 'node', about: 'attach: the name of the node', optional: true },
  ],
  options: [
    { flags: '--seed <number>', about: 'run: of faults and work (default: another each time)' },
    { flags: '--minutes <minutes>', about: 'run: how long faults go on (default: of the drill)' },
    { flags: '--nodes <count>', about: 'run: how many (default: of the drill)' },
    { flags: '--servers <count>', about: 'run: nats-servers, 1 or 3 (default: of the drill)' },
    {
      flags: '--workload <names>',
      about: 'run: what clients do, with commas (default: of the drill)',
      values: workloads().map((each) => each.name),
    },
    { flags: '--world <world>', about: 'run: processes (default) or simulation', values: ['processes', 'simulation'] },
    { flags: '--tier <tier>', about: 'run: how links are cut: namespaces, sudo or proxies (default: the best there is)', values: TIERS },
    { flags: '--agents <folder>', about: 'run: agent modules of yours for the nodes' },
    { flags: '--folder <folder>', about: 'run: where it is kept (default nexa-drills/<date>-<drill>-<seed>)' },
    { flags: '--script <file>', about: 'run: a plan.json instead of a drill' },
    { flags: '--html', about: 'report: writes the reports of the folder anew' },
    { flags: '--seconds <count>', about: 'attach: after so long it is mended (default 20, most 60)' },
    { flags: '--yes', about: 'attach: does not ask' },
  ],
  examples: [
    'nexa chaos list',
    'nexa chaos run kill-node',
    'nexa chaos run split-brain --seed 7 --minutes 2 --tier proxies',
    'nexa chaos run everything --world simulation',
    'nexa chaos run --script nexa-drills/monday/plan.json --folder again',
    'nexa chaos check nexa-drills/monday',
    'nexa chaos report nexa-drills/monday --html',
    'nexa chaos attach pause n2 --seconds 20 --yes',
  ],
  async run(invocation) {
    const { args, options } = invocation;
    const { action: name = '', what, node } = args;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) throw new UsageError(`nexa chaos takes ${Object.keys(ACTIONS).join(', ')}, not ${JSON.stringify(name)}`);
    const stranger = Object.keys(options).find((option) => ![...COMMON, ...action.options].includes(option));
    if (stranger !== undefined) throw new UsageError(`--${stranger} is not of nexa chaos ${name}`);
    if ([what, node].filter((each) => each !== undefined).length > action.args)
      throw new UsageError(`nexa chaos ${name} takes ${action.args === 0 ? 'no argument' : 'one argument'}`);
    return action.run(invocation);
  },
};
