import { join } from 'node:path';
import type { Judged } from './checkers/judged.ts';
import type { Plan } from './plan.ts';
import { type DrillFolder, openFolder, requireFree } from './report/folder.ts';
import { type Report, reportOf } from './report/report.ts';
import type { Run } from './run.ts';
import { type RunOptions, runPlan } from './runner.ts';

export interface FolderRunOptions extends Omit<RunOptions, 'onOperation'> {
  /** Where it is kept; nothing may be in it. */
  readonly folder: string;
  readonly judge: (run: Run) => readonly Judged[];
  /** A line for a shell that runs the same again. */
  readonly replay: (plan: Plan, folder: string) => string;
}

/**
 * Runs a plan and keeps all of it in a folder, which is made once the world is there: what cannot begin leaves nothing.
 * @throws NexaError `conflict` for a folder with something in it, what the world is opened with; nothing was begun then. Anything else is of the
 *   harness: what clients saw until then is in the folder.
 */
export async function runInFolder(options: FolderRunOptions): Promise<{ readonly report: Report; readonly folder: string }> {
  const { plan, open, judge, replay } = options;
  await requireFree(options.folder);
  let kept: DrillFolder | undefined;
  try {
    const run = await runPlan({
      ...options,
      open: async (asked) => {
        const world = await open({ ...asked, logs: join(options.folder, 'logs') });
        try {
          kept = await openFolder(options.folder, plan);
        } catch (error) {
          await world.close();
          throw error;
        }
        return world;
      },
      onOperation: (workload, operation) => kept?.ended({ workload, operation }),
    });
    const folder = kept as unknown as DrillFolder;
    await folder.finish(run);
    const report = reportOf(run, judge(run), replay(plan, options.folder));
    await folder.report(report, run);
    return { report, folder: folder.path };
  } catch (error) {
    await kept?.discard().catch(() => undefined);
    throw error;
  }
}
