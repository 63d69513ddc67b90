// All measurements, or those named: npm run bench [-- name … --rounds 5 --quick --json file --compare file --write]
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { changes } from './suite/compare.ts';
import { blocks, CHART, charted, document } from './suite/document.ts';
import type { Row } from './suite/figures.ts';
import { home, peers } from './suite/home.ts';
import { machine } from './suite/machine.ts';
import { Misuse, type Options, options, usage } from './suite/options.ts';
import { installPeers } from './suite/peers.ts';
import { progress } from './suite/progress.ts';
import { type BenchRecord, compared, machineText, paragraphs, reached } from './suite/report.ts';
import { rounds } from './suite/rounds.ts';
import { serverVersion } from './suite/servers.ts';
import { highlights } from './workloads/highlights.ts';
import { sections } from './workloads/index.ts';

const BASELINE = join(home, 'bench/baseline.json');
const PAGES = ['README.md', 'docs/benchmarks.md'];
const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

function readRecord(file: string): BenchRecord {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as BenchRecord;
    if (record.version !== 1) throw new Error(`it has version ${record.version}, not 1`);
    if (record.scale !== 1) throw new Error('it is of a quick run, whose figures say nothing');
    return record;
  } catch (error) {
    throw new Misuse(`${file} is no record to use: ${(error as Error).message}`);
  }
}
const pages = (): Record<string, string> => Object.fromEntries(PAGES.map((page) => [page, readFileSync(join(home, page), 'utf8')]));
function write(record: BenchRecord): void {
  const written = document(pages(), blocks(sections, highlights, record));
  for (const page of PAGES) writeFileSync(join(home, page), written[page] ?? '');
  writeFileSync(join(home, CHART), charted(sections, highlights, record));
  writeFileSync(BASELINE, `${JSON.stringify(record)}\n`);
}

/** What would be found out only after an hour is asked before it. @throws Misuse */
function requireWritable(asked: Options, empty: BenchRecord): void {
  try {
    if (asked.json !== undefined && asked.json !== '-') accessSync(dirname(resolve(asked.json)), constants.W_OK);
    if (asked.write) document(pages(), blocks(sections, highlights, empty));
  } catch (error) {
    throw new Misuse((error as Error).message);
  }
}

async function measured(asked: Options, out: NodeJS.WriteStream, signal: AbortSignal): Promise<BenchRecord> {
  const { workloads, scale } = asked;
  const { say, clear } = progress(process.stderr);
  const natsServer = workloads.some((workload) => workload.servers !== undefined) ? await serverVersion() : undefined;
  const record = { version: 1, at: new Date().toISOString(), rounds: asked.rounds, scale, machine: machine(natsServer, peers) } as const;
  requireWritable(asked, { ...record, rows: [] });
  installPeers(peers, say);
  out.write(`${machineText(record.machine)}\n`);
  const rows: Row[] = [];
  const failures: string[] = [];
  const lacking: string[] = [];
  const list = new URL('./workloads/index.js', import.meta.url).href;
  for (const workload of workloads) {
    try {
      const seen = await rounds(workload, { rounds: asked.rounds, scale, list, say, signal });
      rows.push(...seen.rows);
      failures.push(...seen.failures);
      lacking.push(...seen.lacking);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${workload.name}: ${(error as Error).message}`);
    }
    clear();
    out.write(`\n## ${workload.name}\n\n${paragraphs(workload, rows)}\n`);
  }
  out.write(`\n${reached(workloads, rows)}\n`);
  for (const each of lacking) out.write(`\nnot measured: ${each}\n`);
  for (const each of failures) out.write(`\nfailed: ${each}\n`);
  if (failures.length > 0) process.exitCode = FAILED;
  return { ...record, rows };
}

function shown(asked: Options, out: NodeJS.WriteStream, record: BenchRecord): BenchRecord {
  out.write(`${record.at}, ${record.rounds} rounds\n${machineText(record.machine)}\n`);
  for (const workload of asked.workloads) out.write(`\n## ${workload.name}\n\n${paragraphs(workload, record.rows)}\n`);
  out.write(`\n${reached(asked.workloads, record.rows)}\n`);
  return record;
}

const aborted = new AbortController();
// The second time it ends at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => aborted.abort(new Error(`ended by ${signal}`)));
try {
  const asked = options(process.argv.slice(2), sections);
  if (asked === undefined) process.stdout.write(usage(sections));
  else {
    const baseline = asked.compare === undefined ? undefined : readRecord(asked.compare);
    const earlier = asked.from === undefined ? undefined : readRecord(asked.from);
    const out = asked.json === '-' ? process.stderr : process.stdout;
    const record = earlier === undefined ? await measured(asked, out, aborted.signal) : shown(asked, out, earlier);
    if (asked.json === '-') process.stdout.write(`${JSON.stringify(record)}\n`);
    else if (asked.json !== undefined) writeFileSync(asked.json, `${JSON.stringify(record)}\n`);
    if (asked.write && process.exitCode === FAILED) out.write('\nnothing is written: a run failed\n');
    else if (asked.write) write(record);
    if (baseline !== undefined) {
      const seen = changes(asked.workloads, baseline, record);
      out.write(`\n${compared(seen)}\n`);
      if (seen.some(({ worse }) => worse)) process.exitCode = FAILED;
    }
  }
} catch (error) {
  if (aborted.signal.aborted) process.exitCode = INTERRUPTED;
  else if (error instanceof Misuse) process.exitCode = MISUSED;
  else throw error;
  process.stderr.write(`\n${(error as Error).message}\n${error instanceof Misuse ? `\n${usage(sections)}` : ''}`);
}
