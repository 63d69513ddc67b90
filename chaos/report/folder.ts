import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { NexaError } from '../../src/errors.ts';
import { type HistoryFile, type HistoryLine, historiesOf, writeHistory } from '../history-file.ts';
import type { Plan } from '../plan.ts';
import { formatPlan, PLAN_LIMITS, parsePlan } from '../plan-file.ts';
import type { Run } from '../run.ts';
import { htmlOf } from './html.ts';
import { markdown } from './markdown.ts';
import type { Report } from './report.ts';
import { formatRun, parseRun } from './run-file.ts';

/** What a run leaves behind: one folder, from which it can be judged again. */
export interface DrillFolder {
  readonly path: string;
  /** Writes an outcome down as it comes, so that a drill that is killed leaves what was seen. What the disk does not take in time is written by `finish`. */
  ended(line: HistoryLine): void;
  /** Writes the run down as a whole; once. @throws NexaError `unavailable` when the disk does not take it. */
  finish(run: Run): Promise<void>;
  /** What was thought of it, in three forms; as often as it is thought about. @throws NexaError `unavailable`. */
  report(report: Report, run: Run): Promise<void>;
  /** Without a run: what was seen until now stays; if that is nothing, nothing does. */
  discard(): Promise<void>;
}

/** `nexa-drills/2026-03-01T12-00-00-kill-node-7` under the current folder. */
export const defaultFolder = ({ drill, seed }: Pick<Plan, 'drill' | 'seed'>, wallMs: number): string =>
  join('nexa-drills', `${new Date(wallMs).toISOString().slice(0, 19).replaceAll(':', '-')}-${drill}-${seed}`);

/** The default, or that with a number where several runs of one second came before it. @throws NexaError `conflict`, `unavailable`. */
export async function freeFolder(plan: Pick<Plan, 'drill' | 'seed'>, wallMs: number): Promise<string> {
  const path = defaultFolder(plan, wallMs);
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? path : `${path}-${number}`;
    try {
      await requireFree(numbered);
      return numbered;
    } catch (error) {
      if (number === MOST_A_SECOND || (error as NexaError).code !== 'conflict') throw error;
    }
  }
}
const MOST_A_SECOND = 100;

/**
 * Makes a folder for a run and writes its plan there.
 * @throws NexaError `conflict` when there is something in it, which is not touched; `unavailable` when it cannot be made.
 */
export async function openFolder(path: string, plan: Plan): Promise<DrillFolder> {
  await requireFree(path);
  const folder = resolve(path);
  let history: HistoryFile;
  let seen = false;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'plan.json'), formatPlan(plan), { flag: 'wx' });
    history = await writeHistory(join(folder, 'history.jsonl'));
  } catch (cause) {
    throw cause instanceof NexaError ? cause : unwritable(folder, cause);
  }
  return {
    path: folder,
    ended(line) {
      seen = true;
      try {
        history.write(line);
      } catch {
        // The call that ended knows nothing of this file, and all of it is written at the end.
      }
    },
    async finish(run) {
      await history.close().catch(() => undefined);
      await writing(folder, async () => {
        await writeWhole(join(folder, 'run.json'), formatRun(run));
        // Anew: with the calls that were still open, and in order.
        await writeWhole(join(folder, 'history.jsonl'), historyLines(run));
      });
    },
    report: (report, run) => writeReport(folder, report, run),
    async discard() {
      await history.close();
      if (seen) return;
      for (const file of ['plan.json', 'history.jsonl']) await rm(join(folder, file), { force: true });
      await rm(join(folder, 'logs'), { recursive: true, force: true });
      // Unless somebody has put something into it.
      await rmdir(folder).catch(() => undefined);
    },
  };
}

/** The folder is free for a run. @throws NexaError `conflict`, `unavailable`. */
export async function requireFree(path: string): Promise<void> {
  const found = await readdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    if (cause.code === 'ENOTDIR') return ['it is a file'];
    throw unwritable(path, cause);
  });
  if (found.length === 0) return;
  throw new NexaError('conflict', 'there is something in this folder already', {
    where: { folder: path },
    fix: 'Name another --folder, or remove that one.',
  });
}

/** `report.json`, `report.md` and `report.html`. @throws NexaError `unavailable`. */
export async function writeReport(folder: string, report: Report, run: Run): Promise<void> {
  await writing(folder, async () => {
    await writeWhole(join(folder, 'report.json'), [`${JSON.stringify(report, undefined, 2)}\n`]);
    await writeWhole(join(folder, 'report.md'), [`${markdown(report)}\n`]);
    await writeWhole(join(folder, 'report.html'), [htmlOf(report, run)]);
  });
}

const RUN_BYTES = 268_435_456;

/**
 * The run that such a folder holds.
 * @throws NexaError `no-such-actor` when there is no such folder or file, `invalid-message` with file and line or field for one that nobody can
 *   read, `unknown-version`, `payload-too-large`.
 */
export async function readFolder(folder: string): Promise<Run> {
  const plan = await readPlan(join(folder, 'plan.json'));
  const file = join(folder, 'run.json');
  const { works, ...run } = parseRun(await readBounded(file, RUN_BYTES), file);
  const history = join(folder, 'history.jsonl');
  await requireFile(history, Number.POSITIVE_INFINITY);
  const histories = await historiesOf(history);
  const stranger = [...histories.keys()].find((name) => !works.some(({ workload }) => workload === name));
  if (stranger !== undefined)
    throw new NexaError('invalid-message', `history.jsonl: run.json knows no workload ${JSON.stringify(stranger)}`, {
      where: { file: history },
    });
  return {
    plan,
    ...run,
    tier: run.tier,
    recoveredAtMs: run.recoveredAtMs,
    works: works.map((work) => ({ ...work, operations: histories.get(work.workload) ?? [] })),
  };
}

/** @throws NexaError as `parsePlan`, `no-such-actor` when there is no such file, `payload-too-large`. */
export const readPlan = async (path: string): Promise<Plan> => parsePlan(await readBounded(path, PLAN_LIMITS.bytes), basename(path));

async function readBounded(path: string, mostBytes: number): Promise<string> {
  await requireFile(path, mostBytes);
  return readFile(path, 'utf8');
}
/** A pipe or a device would never end. */
async function requireFile(path: string, mostBytes: number): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new NexaError('no-such-actor', 'there is no such file of a drill', {
      where: { file: path },
      cause,
      fix: 'Name a folder that a drill left.',
    });
  });
  if (!found.isFile()) throw new NexaError('invalid-message', 'it is no file', { where: { file: path } });
  if (found.size > mostBytes)
    throw new NexaError('payload-too-large', `it has ${found.size} bytes; ${mostBytes} are allowed`, { where: { file: path } });
}

function* historyLines({ works }: Run): Generator<string> {
  for (const { workload, operations } of works) for (const operation of operations) yield `${JSON.stringify({ workload, operation })}\n`;
}

const PIECE_CHARACTERS = 1_048_576;

/** All of it or nothing, under its name. */
async function writeWhole(path: string, pieces: Iterable<string>): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    let text = '';
    for (const piece of pieces) {
      text += piece;
      if (text.length < PIECE_CHARACTERS) continue;
      await file.appendFile(text);
      text = '';
    }
    await file.appendFile(text);
    await file.close();
    await rename(part, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function writing(folder: string, write: () => Promise<void>): Promise<void> {
  await write().catch((cause: unknown) => {
    throw unwritable(folder, cause);
  });
}
const unwritable = (folder: string, cause: unknown): NexaError =>
  new NexaError('unavailable', `it cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
    where: { folder },
    cause,
  });
