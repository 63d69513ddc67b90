import { join } from 'node:path';
import { NexaError, toNexaError } from '../../../../src/errors.ts';
import { systemClock } from '../../../../src/system-clock.ts';
import { rawEnvironment } from '../../../../supervisors/config.ts';
import { readLines } from '../lines.ts';
import { openNet } from '../net/open-net.ts';
import { type Answer, LONGEST_LINE, MOST_ORDERS, type Order, parseOrder, type StageEvent } from './orders.ts';
import { Stage } from './stage.ts';

/**
 * The process that holds the stage of a drill: it does what the drill's process writes to it, and ends, with all that it started, when that
 * closes the line, in whatever way it ends.
 */
const LONGEST_BACKLOG_BYTES = 4_194_304;

let stage: Promise<Stage> | undefined;
let doing = 0;
let ending = false;

function say(line: Answer | StageEvent): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  // Nobody listens any more.
  if (process.stdout.writableLength > LONGEST_BACKLOG_BYTES) void end(1);
}

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await stage?.then((opened) => opened.close()).catch(() => {});
  process.exit(code);
}

async function done(order: Order): Promise<unknown> {
  if (order.order === 'open') {
    if (stage !== undefined) throw new NexaError('conflict', 'the stage is open already');
    const { setting } = order;
    const { tier, tools, as, seed, needs, folder } = setting;
    stage = openNet({
      ...{ tier, tools, seed, folder: join(folder, 'net') },
      clock: systemClock,
      env: rawEnvironment(),
      proxied: needs.includes('delay') || needs.includes('slice'),
      ...(as === undefined ? {} : { as }),
    }).then((net) => Stage.open(setting, net, say, failed));
    return (await stage).opened;
  }
  if (stage === undefined) throw new NexaError('conflict', 'the stage is not open');
  const opened = await stage;
  switch (order.order) {
    case 'act':
      return opened.act(order.act);
    case 'way':
      return opened.way(order.from, order.to, order.port);
    case 'pids':
      return opened.pids(order.place);
    case 'close':
      return opened.close();
  }
}

async function take(line: string | undefined): Promise<void> {
  let id: number | null = null;
  if (doing >= MOST_ORDERS) process.stdin.pause();
  doing++;
  try {
    const order = parseOrder(line);
    id = order.id;
    say({ id, value: (await done(order)) ?? null });
    if (order.order === 'close') process.stdout.end(() => void end(0));
  } catch (thrown) {
    const error = toNexaError(thrown, 'internal');
    const named = Number(error.where.id);
    say({ id: id ?? (error.where.id !== undefined && Number.isSafeInteger(named) ? named : null), error: error.toJSON() });
  } finally {
    doing--;
    if (doing < MOST_ORDERS) process.stdin.resume();
  }
}

process.stdin.on('error', () => void end(1));
process.stdin.on('end', () => void end(0));
process.stdin.on('close', () => void end(0));
process.stdout.on('error', () => void end(1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(1));
const failed = (thrown: unknown): void => {
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  void end(1);
};
process.on('uncaughtException', failed);
process.on('unhandledRejection', failed);
readLines(process.stdin, LONGEST_LINE, (line) => void take(line));
