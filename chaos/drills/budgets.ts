import type { Judged } from '../checkers/judged.ts';
import { verdictOf } from '../checkers/verdict.ts';
import { faultEffects } from '../report/fault-effect.ts';
import type { Run } from '../run.ts';
import { DRILLS } from './index.ts';

/** C5: what a drill by name allows until an agent answers again whose node was killed. */
export function budgetsOf(run: Run): readonly Judged[] {
  const allowed = Object.hasOwn(DRILLS, run.plan.drill) ? DRILLS[run.plan.drill]?.firstOkMs : undefined;
  if (allowed === undefined) return [];
  const late = faultEffects(run).flatMap(({ fault, skipped, fromMs, firstOkMs }) => {
    if (fault.fault !== 'kill' || skipped !== null || firstOkMs === null) return [];
    const mostMs = fault.silent === true ? allowed.silent : allowed.seen;
    return firstOkMs.p99 > mostMs
      ? [`after the kill at ${fromMs.toFixed(0)} ms the first answers took up to ${firstOkMs.p99.toFixed(0)} ms; ${mostMs} ms are allowed`]
      : [];
  });
  return [{ promise: 'C5', by: 'first answer after a kill', verdict: verdictOf(late) }];
}
