import type { Judged } from '../checkers/judged.ts';
import { oneOutcome } from '../checkers/one-outcome.ts';
import type { KeyedNotes } from './keyed.ts';
import type { WorkRecord } from './work.ts';

/** What a timer may be late besides what was measured. */
const LATE_MS = 100;

/** M3 of all calls of a workload. */
export const outcomesOf = ({ workload, asked, untilMs, notes }: WorkRecord): Judged => ({
  promise: 'M3',
  by: `one outcome, ${workload}`,
  verdict: oneOutcome(asked, { toleranceMs: LATE_MS + (notes as KeyedNotes).lagMs, untilMs }),
});
