import { type BenchRecord, figures, machineText, reached } from './report.ts';
import type { Workload } from './workload.ts';

const BLOCK = /<!-- bench:([\w-]+) -->[\s\S]*?<!-- end -->/g;

/**
 * The document with every `<!-- bench:… -->` block written anew from a record: `machine`, `reached`, or a workload's name. The words
 * around them are written by hand. @throws when a block names nothing, or a workload has no block
 */
export function document(text: string, workloads: readonly Workload[], record: BenchRecord): string {
  const blocks = new Map<string, string>([
    ['machine', `${record.at.slice(0, 10)}, ${record.rounds} rounds. ${machineText(record.machine)}.`],
    ['reached', reached(workloads, record.rows)],
    ...workloads.map((workload) => [workload.name, `${workload.about}\n\n${figures(workload, record.rows)}`] as const),
  ]);
  const missing = new Set(blocks.keys());
  const filled = text.replace(BLOCK, (_whole, name: string) => {
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`no measurement ${name}`);
    missing.delete(name);
    return `<!-- bench:${name} -->\n${block}\n<!-- end -->`;
  });
  if (missing.size > 0) throw new Error(`no place for ${[...missing].join(', ')}`);
  return filled;
}
