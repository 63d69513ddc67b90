import type { Plan } from '../plan.ts';

/**
 * A line for a shell that runs the same again. `planned`: what the drill of that name makes of the same seed today, if there is one; a plan that is
 * another is run from its file.
 */
export function replayOf(plan: Plan, planned: Plan | undefined, folder: string): string {
  if (planned === undefined || JSON.stringify(planned) !== JSON.stringify(plan))
    return `npx nexa chaos run --script ${quoted(`${folder}/plan.json`)}`;
  const { drill, seed, world, nodes, servers, durationMs, workloads } = plan;
  return [
    `npx nexa chaos run ${drill} --seed ${seed} --world ${world}`,
    `--minutes ${durationMs / 60_000} --nodes ${nodes} --servers ${servers} --workload ${workloads.join(',')}`,
  ].join(' ');
}

const quoted = (path: string): string => (/^[A-Za-z0-9_./@%+,:-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
