import { type Verdict, verdictOf } from './verdict.ts';

/** B1: nothing is left that a world had begun, by the names that it gives. */
export const leaks = (left: readonly string[]): Verdict => verdictOf(left.map((each) => `left behind: ${each}`));
