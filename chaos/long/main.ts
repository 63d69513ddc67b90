// The whole matrix on real processes, for hours: npm run chaos:long -- --help
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DRILLS } from '../drills/index.ts';
import { formatPlan } from '../plan-file.ts';
import { readFolder } from '../report/folder.ts';
import type { Report } from '../report/report.ts';
import { summing } from '../report/summary.ts';
import { summaryMarkdown } from '../report/summary-markdown.ts';
import { WORKLOADS } from '../workloads/index.ts';
import { CELL_FAULTS, cellPlan } from './cells.ts';

const HELP = `Runs every drill with many seeds, one after the other, and sums up what came of them.

  --drills a,b       which; default: all
  --cells            instead: each kind of fault under each workload
  --workloads a,b    of the cells; default: all
  --seeds n          of each; default 10, of cells 1
  --from n           the first seed; default 1
  --minutes n        of each; default 1, of cells 2
  --world name       processes (default) or simulation
  --tier name        namespaces, sudo or proxies; default: the best that this machine has
  --folder path      where the reports go; one that is there already is not run again. Default nexa-drills/long
`;
const { values } = parseArgs({
  options: {
    drills: { type: 'string' },
    cells: { type: 'boolean', default: false },
    workloads: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    world: { type: 'string', default: 'processes' },
    tier: { type: 'string' },
    folder: { type: 'string', default: join('nexa-drills', 'long') },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

function whole(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  return refused(`${flag} ${text}: give a whole number from ${least} on`);
}
function refused(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}

const nexa = fileURLToPath(new URL('../../bin/nexa.js', import.meta.url));
const from = whole('--from', values.from, 0);
const seeds = Array.from({ length: whole('--seeds', values.seeds ?? (values.cells ? '1' : '10'), 1) }, (_, index) => from + index);
const minutes = Number(values.minutes ?? (values.cells ? 2 : 1));
if (!(minutes > 0)) refused(`--minutes ${values.minutes}: give a number above 0`);
const folder = values.folder;
function listed(flag: string, text: string | undefined, all: readonly string[]): readonly string[] {
  const names = text?.split(',').map((name) => name.trim()) ?? all;
  const stranger = names.find((name) => !all.includes(name));
  return stranger === undefined ? names : refused(`${flag} ${stranger}: there are ${all.join(', ')}`);
}
await mkdir(folder, { recursive: true });

interface Cell {
  /** Of its folder. */
  readonly name: string;
  readonly args: readonly string[];
}
const cells = values.cells ? await cellRuns() : drillRuns();
/** Of every run that was wanted, also of those that were there already. */
const codes: number[] = [];
const CODES = { pass: 0, fail: 1, unknown: 7 } as const;
for (const [index, cell] of cells.entries()) {
  const path = join(folder, cell.name);
  const known = await reportIn(path);
  if (known === undefined) {
    await rm(path, { recursive: true, force: true });
    await run([...cell.args, '--folder', path]);
  }
  const report = known ?? (await reportIn(path));
  codes.push(report === undefined ? 8 : CODES[report.verdict]);
  const said =
    report === undefined ? 'no report' : `${report.verdict} ${report.operations.ok} ok, ${Math.round(report.endedAtMs / 1_000)} s`;
  process.stdout.write(`${index + 1}/${cells.length} ${cell.name}: ${said}\n`);
  for (const violation of report?.violations.slice(0, 5) ?? []) process.stdout.write(`    ${violation.split('\n', 1)[0]}\n`);
  if (report !== undefined && report.verdict !== 'pass')
    process.stdout.write(
      `${report.incomplete
        .slice(0, 5)
        .map((why) => `    ${why}\n`)
        .join('')}    again: ${report.replay}\n`,
    );
}
await sumUp();
process.exitCode = [8, 1, 7].find((code) => codes.includes(code)) ?? 0;

function drillRuns(): readonly Cell[] {
  const drills = listed('--drills', values.drills, Object.keys(DRILLS));
  const world = values.world === 'simulation' ? 'simulation' : (values.tier ?? 'processes');
  // A round of all of them with each seed: whenever it is broken off, each was run about as often.
  return seeds.flatMap((seed) =>
    drills.map((drill) => ({
      name: `${drill}-${world}-${seed}`,
      args: [drill, '--seed', `${seed}`, '--minutes', `${minutes}`, '--world', values.world, ...tierArgs()],
    })),
  );
}
async function cellRuns(): Promise<readonly Cell[]> {
  const found: Cell[] = [];
  for (const [at, fault] of CELL_FAULTS.entries())
    for (const workload of listed('--workloads', values.workloads, Object.keys(WORKLOADS)))
      for (const seed of seeds) {
        const name = `cell-${at + 1}-${fault.fault}-${workload}-${seed}`;
        const script = join(folder, `${name}.json`);
        await writeFile(script, formatPlan(cellPlan({ fault, workload, seed, durationMs: minutes * 60_000 })));
        found.push({ name, args: ['--script', script, ...tierArgs()] });
      }
  return found;
}
function tierArgs(): readonly string[] {
  return values.tier === undefined || values.world === 'simulation' ? [] : ['--tier', values.tier];
}

/** A process of its own for each: what one leaves in memory is not the next one's. */
function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [nexa, 'chaos', 'run', ...args, '-o', 'json'], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}

async function reportIn(path: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'report.json'), 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

/** Of all that is in the folder, also of earlier calls. */
async function sumUp(): Promise<void> {
  const sum = summing();
  for (const name of (await readdir(folder)).sort()) {
    const report = await reportIn(join(folder, name));
    if (report !== undefined) sum.add(await readFolder(join(folder, name)), report);
  }
  const summary = sum.summary();
  await writeFile(join(folder, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
  await writeFile(join(folder, 'summary.md'), `${summaryMarkdown(summary)}\n`);
  process.stdout.write(`${join(folder, 'summary.md')}\n`);
}
