// All measurements, or those named: npm run bench [-- name … --rounds 5 --quick --json file --compare file --write]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { changes, TOLERANCE } from './suite/compare.ts';
import { document } from './suite/document.ts';
import type { Row } from './suite/figures.ts';
import { home, peers } from './suite/home.ts';
import { machine } from './suite/machine.ts';
import { type BenchRecord, figures, machineText, plain, reached, table } from './suite/report.ts';
import { rounds as measure } from './suite/rounds.ts';
import { serverVersion } from './suite/servers.ts';
import { workloads } from './workloads/index.ts';

const USAGE = `npm run bench [-- [name …] [options]]

  --rounds <count>   each contender in turn, so many times (default 5)
  --quick            one short round: shows that all works, its figures say nothing
  --json <file>      writes the record of this run
  --compare <file>   beside such a record: exit code 1 when a ratio fell by more than ${TOLERANCE * 100} %
  --write            writes the record to bench/baseline.json and the figures into docs/benchmarks.md
  --list             what can be measured

${workloads.map(({ name, cases }) => `  ${name.padEnd(18)} ${cases.join(', ')}`).join('\n')}
`;
const BASELINE = join(home, 'bench/baseline.json');
const DOCUMENT = join(home, 'docs/benchmarks.md');
const FAILED = 1;
const MISUSED = 2;

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '5' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        compare: { type: 'string' },
        write: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return misused((error as Error).message);
  }
}
function misused(why: string): never {
  process.stderr.write(`${why}\n\n${USAGE}`);
  process.exit(MISUSED);
}
const readRecord = (file: string): BenchRecord => {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as BenchRecord;
    if (record.version !== 1) throw new Error(`it has version ${record.version}, not 1`);
    return record;
  } catch (error) {
    return misused(`${file} is no record of a run: ${(error as Error).message}`);
  }
};

const { values: given, positionals: names } = options();
if (given.help || given.list) {
  process.stdout.write(USAGE);
  process.exit();
}
const unknown = names.find((name) => !workloads.some((workload) => workload.name === name));
if (unknown !== undefined) misused(`no measurement ${unknown}`);
const count = given.quick ? 1 : Number(given.rounds);
if (!Number.isInteger(count) || count < 1) misused(`--rounds ${given.rounds} is no number of rounds`);
const baseline = given.compare === undefined ? undefined : readRecord(given.compare);
const wanted = names.length === 0 ? workloads : workloads.filter(({ name }) => names.includes(name));
if (given.write && wanted.length < workloads.length) misused('--write wants a whole run');

const say = (line: string): void => void process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
const rows: Row[] = [];
const about = machine(await serverVersion(), peers);
process.stdout.write(`${machineText(about)}\n`);
for (const workload of wanted) {
  const measured = await measure(workload, { rounds: count, scale: given.quick ? 0.02 : 1, say });
  rows.push(...measured);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  process.stdout.write(`\n${workload.name}: ${workload.about}\n${figures(workload, rows)}\n`);
}
process.stdout.write(`\n${reached(wanted, rows)}\n`);

const record: BenchRecord = {
  version: 1,
  at: new Date().toISOString(),
  rounds: count,
  scale: given.quick ? 0.02 : 1,
  machine: about,
  rows,
};
const written = `${JSON.stringify(record)}\n`;
if (given.json !== undefined) writeFileSync(given.json, written);
if (given.write) {
  writeFileSync(DOCUMENT, document(readFileSync(DOCUMENT, 'utf8'), workloads, record));
  writeFileSync(BASELINE, written);
}
if (baseline !== undefined) {
  const seen = changes(wanted, baseline, record);
  const lines = seen.map(({ workload, at, measure: what, beside, then, now, worse }) => [
    `${workload} ${at}: ${what}`,
    beside,
    plain(then),
    plain(now),
    worse ? 'worse' : '',
  ]);
  process.stdout.write(`\n${table(['ratio of', 'to', 'then', 'now', ''], lines)}\n`);
  if (seen.some(({ worse }) => worse)) process.exitCode = FAILED;
}
