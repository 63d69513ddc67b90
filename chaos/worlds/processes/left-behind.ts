import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Clock } from '../../../src/ports/clock.ts';
import { run } from '../../../src/programs/run.ts';
import type { Tier } from '../../plan.ts';
import { marked } from './proc.ts';
import { removeGroups } from './stage/limits/cgroup.ts';
import { MARK } from './stage/orders.ts';

/** Guards of processes that have ended see that within milliseconds. */
const SETTLE_MS = 3_000;
const POLL_MS = 20;
const REMOVE_MS = 30_000;

/** The folder and the control groups of a run, if the stage did not come to that. What another user made is removed as that user. */
export async function removeFolder(folder: string, tier: Tier): Promise<void> {
  await removeGroups(folder);
  if (!existsSync(folder)) return;
  if (tier === 'sudo') await run('sudo', ['-n', 'rm', '-rf', '--', folder], { timeoutMs: REMOVE_MS }).catch(() => {});
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

/** What is still there of a run that is over: processes with its mark, ports that its servers had, its folder. */
export async function leftBehind(options: {
  readonly run: string;
  readonly ports: readonly number[];
  readonly folder: string;
  readonly clock: Clock;
}): Promise<readonly string[]> {
  const { clock } = options;
  const look = async (): Promise<readonly string[]> => [
    ...marked(MARK, options.run).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...(await Promise.all(options.ports.map(async (port) => ((await answers(port)) ? [`port ${port}`] : [])))).flat(),
    ...(existsSync(options.folder) ? [`folder ${options.folder}`] : []),
  ];
  for (const untilMs = clock.monotonicMs() + SETTLE_MS; ; ) {
    const left = await look();
    if (left.length === 0 || clock.monotonicMs() > untilMs) return left;
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
