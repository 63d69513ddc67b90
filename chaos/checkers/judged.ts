import type { Verdict } from './verdict.ts';

/** What one checker says of one promise (docs/semantics.md) in one run. */
export interface Judged {
  /** M1 … B3. */
  readonly promise: string;
  /** Which checker, of which workload or observation. */
  readonly by: string;
  readonly verdict: Verdict;
}
