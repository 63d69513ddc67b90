import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from './figures.ts';
import { temporaryFolder } from './home.ts';
import { run } from './run.ts';
import { servers } from './servers.ts';
import type { Workload } from './workload.ts';

export interface RoundsOptions {
  readonly rounds: number;
  /** 1: full runs. */
  readonly scale: number;
  /** The URL of the module that has the workload among its `workloads`. */
  readonly list: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Of a run that says nothing. Default 300,000. */
  readonly limitMs?: number;
}
export interface Measured {
  readonly rows: readonly Row[];
  /** Who could not run here, and why. */
  readonly lacking: readonly string[];
  /** Who failed, and how: there is no row of them. */
  readonly failures: readonly string[];
}

/**
 * All contenders of a workload in turn, round after round, each run in fresh processes. Who fails in a case is out of it: the others go
 * on. @throws when there are no servers to be had, or the signal says so
 */
export async function rounds(workload: Workload, options: RoundsOptions): Promise<Measured> {
  const { say, signal, scale, list, limitMs = 300_000 } = options;
  const lacking = new Map(
    Object.entries(workload.contenders).flatMap(([name, contender]) => {
      const why = contender.lacking?.();
      return why === undefined ? [] : [[name, why] as const];
    }),
  );
  await using temporary = await temporaryFolder();
  await using started = await servers(workload.servers, join(temporary.path, 'servers'));
  const count = Math.min(options.rounds, workload.rounds ?? options.rounds);
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const at of workload.cases) {
    const named = [workload.name, at].filter((word) => word !== '').join(', ');
    const values = new Map<string, Record<string, number[]>>();
    for (const name of Object.keys(workload.contenders)) if (!lacking.has(name)) values.set(name, {});
    for (let round = 1; round <= count; round++)
      for (const contender of turn([...values.keys()], round - 1)) {
        say(`${named}: round ${round} of ${count}, ${contender}`);
        const folder = join(temporary.path, `${at}-${round}-${contender}`.replaceAll(/[^\w-]/g, '-'));
        await mkdir(folder, { recursive: true });
        const { urls, monitors } = started;
        const order = { list, workload: workload.name, at, contender, urls, monitors, scale };
        try {
          const seen = await run({ order, measures: workload.measures, folder, limitMs, signal });
          const all = values.get(contender) ?? {};
          for (const [measure, value] of Object.entries(seen)) {
            all[measure] ??= [];
            all[measure].push(value);
          }
        } catch (error) {
          signal.throwIfAborted();
          values.delete(contender);
          failures.push(`${named}, ${contender}, round ${round}: ${(error as Error).message}`);
        }
      }
    for (const [contender, each] of values) rows.push({ workload: workload.name, at, contender, values: each });
  }
  return { rows, failures, lacking: [...lacking].map(([name, why]) => `${workload.name}, ${name}: ${why}`) };
}

/** Another one begins each round: no one always follows the same one. */
const turn = <T>(all: readonly T[], by: number): readonly T[] => [...all.slice(by % all.length), ...all.slice(0, by % all.length)];
