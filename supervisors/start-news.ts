import type { CheckResult } from '../src/ports/check.ts';

/** What a start of servers and nodes is doing, for whoever shows it. A step begins once and is done once, or the start fails. */
export type StartNews =
  | { readonly news: 'begun'; readonly step: string; readonly message: string }
  | { readonly news: 'done'; readonly step: string; readonly message: string }
  /** `node`: of which node's self-test; absent for what comes before there is one. */
  | { readonly news: 'check'; readonly node?: string; readonly result: CheckResult };
