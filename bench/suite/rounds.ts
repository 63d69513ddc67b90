import { forkRun, type Order } from './child.ts';
import type { Row } from './figures.ts';
import { servers } from './servers.ts';
import type { Seen, Workload } from './workload.ts';

export interface RoundsOptions {
  readonly rounds: number;
  /** 1: full runs. */
  readonly scale: number;
  readonly say: (line: string) => void;
}
/** After so long a run that says nothing is given up. */
const RUN_MS = 300_000;

/** All contenders of a workload in turn, round after round, each run in fresh processes. @throws when a run failed or lost something. */
export async function rounds(workload: Workload, options: RoundsOptions): Promise<readonly Row[]> {
  const able = Object.entries(workload.contenders).filter(([name, contender]) => {
    const lacking = contender.lacking?.();
    if (lacking !== undefined) options.say(`${workload.name}: without ${name}: ${lacking}`);
    return lacking === undefined;
  });
  await using started = await servers(workload.servers);
  const rows = new Map<string, { at: string; contender: string; values: Record<string, number[]> }>();
  for (const at of workload.cases)
    for (let round = 1; round <= options.rounds; round++)
      for (const [contender] of able) {
        options.say(`${workload.name} ${at}: round ${round} of ${options.rounds}, ${contender}`);
        const { urls, monitors } = started;
        const { values } = await runOnce({ workload: workload.name, at, contender, urls, monitors, scale: options.scale });
        const row = rows.get(`${at} ${contender}`) ?? { at, contender, values: {} };
        rows.set(`${at} ${contender}`, row);
        for (const [measure, value] of Object.entries(values)) {
          row.values[measure] ??= [];
          row.values[measure].push(value);
        }
      }
  return [...rows.values()].map((row) => ({ workload: workload.name, ...row }));
}

function runOnce(order: Order): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const what = `${order.workload} ${order.at}, ${order.contender}`;
    const child = forkRun(order);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    const late = setTimeout(() => child.kill('SIGKILL'), RUN_MS);
    let seen: Seen | undefined;
    child.on('message', (message: { readonly seen?: Seen }) => {
      seen = message.seen;
    });
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      if (seen === undefined) return reject(new Error(`${what} ended with ${signal ?? code}:\n${said}`));
      if (seen.seen !== seen.expected) return reject(new Error(`${what}: ${seen.seen} of ${seen.expected} were accounted for`));
      resolve(seen);
    });
  });
}
