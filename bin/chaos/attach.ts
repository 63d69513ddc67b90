import { createInterface } from 'node:readline/promises';
import { type Attached, type AttachOrder, type AttachTarget, attach, attachTarget, LONGEST_ATTACH_MS } from '../../chaos/index.ts';
import { NexaError } from '../../src/errors.ts';
import { type Command, type Result, UsageError } from '../command.ts';
import { countOf, required } from '../options.ts';
import { facts, plain, type Style } from '../output.ts';

export const ORDERS = ['kill', 'pause', 'drain'] as const;

/** `nexa chaos attach`: one fault on a running cluster, after asking. @throws NexaError `denied` when nobody says yes. */
export const attachTo: Command['run'] = async ({ args, options, connect, server, progress, ended }): Promise<Result> => {
  const order = orderOf(args.what, args.node, options.seconds);
  const client = await connect();
  const target = await attachTarget(client, server.cluster, order.node);
  progress(warning(order, target));
  if (options.yes !== true) await confirmed(order.node);
  const signal = ended();
  const attached = await attach(order, { client, signal, onProgress: (line) => progress(plain(line)) });
  return { json: attached, text: (style) => text(attached, style) };
};

function orderOf(order: string | undefined, name: string | undefined, seconds: unknown): AttachOrder {
  const known = ORDERS.find((each) => each === order);
  if (known === undefined) throw new UsageError(`nexa chaos attach takes ${ORDERS.join(', ')}, not ${JSON.stringify(order ?? '')}`);
  const node = required(name, 'the name of the node');
  if (known !== 'kill')
    return {
      order: known,
      node,
      forMs: 1_000 * countOf(seconds, '--seconds', { least: 1, most: LONGEST_ATTACH_MS / 1_000, fallback: 20 }),
    };
  if (seconds !== undefined) throw new UsageError('--seconds is of pause and drain: what was killed is started again by its launcher');
  return { order: known, node };
}

const what = {
  kill: 'is killed (SIGKILL by its launcher, which starts it again)',
  pause: 'is stopped (SIGSTOP by its launcher, which lets it go on after the time)',
  drain: 'gives its agents to others and takes none until the time is over',
} as const;
function warning(order: AttachOrder, { cluster, node, others, agents }: AttachTarget): string {
  const time = order.order === 'kill' ? '' : `, for ${order.forMs / 1_000} s`;
  const rest = others.length === 0 ? 'No other node is up: they answer again when it is back.' : `They go to ${others.join(', ')}.`;
  return plain(`In cluster ${cluster} node ${node} ${what[order.order]}${time}. It has ${agents.length} agents. ${rest}`);
}

async function confirmed(node: string): Promise<void> {
  const asked = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (asked) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      if ((await terminal.question('Type the name of the node to go on: ')).trim() === node) return;
    } finally {
      terminal.close();
    }
  }
  throw new NexaError(
    'denied',
    asked ? 'that is not its name: nothing was done' : 'without a terminal nobody can be asked: nothing was done',
    {
      where: { node },
      ...(asked ? {} : { fix: 'Add --yes.' }),
    },
  );
}

function text({ order, node, answeredBy, answeredMs, agents, moved, movedMs, nowhere, backMs, stopped }: Attached, style: Style): string {
  const to = Object.entries(moved).map(([name, count]) => `${count} to ${plain(name)}`);
  const count = Object.values(moved).reduce((sum, each) => sum + each, 0);
  return facts(
    [
      ['answered', `${plain(answeredBy)} after ${answeredMs} ms`],
      [
        'moved',
        movedMs === null
          ? `none of ${agents} agents`
          : `${count} of ${agents} agents (${to.join(', ')}): p50 ${movedMs.p50} ms, p99 ${movedMs.p99} ms, max ${movedMs.max} ms`,
      ],
      ...(nowhere > 0 ? [['nowhere', style.bad(`${nowhere} agents run on no node`)] as const] : []),
      [
        plain(node),
        backMs === null ? style.warn('was not seen to be back') : `${order === 'kill' ? 'is back' : 'is as it was'} after ${backMs} ms`,
      ],
      ...(stopped ? [['ended', style.warn('before its time, by hand')] as const] : []),
    ],
    style,
  );
}
