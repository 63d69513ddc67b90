import { judge } from './checkers/judge.ts';
import type { Judged } from './checkers/judged.ts';
import { budgetsOf } from './drills/budgets.ts';
import type { Run } from './run.ts';
import { WORKLOADS } from './workloads/index.ts';
import type { WorkKind } from './workloads/work.ts';

/** All that is said of a run: by the checkers, by its workloads (those of the table, and `own`), and by what its drill allows. */
export const judgeRun = (run: Run, own: readonly WorkKind[] = []): readonly Judged[] => [
  ...judge(run, { workloads: { ...WORKLOADS, ...Object.fromEntries(own.map((kind) => [kind.name, kind])) } }),
  ...budgetsOf(run),
];
