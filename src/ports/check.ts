import type { ErrorCode } from '../errors.ts';

/** What a check came to. Skipped: what it stands on failed, or there was nothing to look at. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';
export interface Finding {
  readonly verdict: Verdict;
  readonly message: string;
  /** One imperative sentence; of everything that is a warning or failed. */
  readonly fix?: string;
  readonly where?: Readonly<Record<string, string>>;
  /** Of a failure: the error that a start ends with if the check is required. Default `store-misconfigured`. */
  readonly code?: ErrorCode;
}

/** One thing that a start, or `nexa doctor`, looks at. */
export interface Check {
  readonly name: string;
  /** Failed, it ends the start; otherwise it leaves the node degraded. */
  readonly required: boolean;
  /** Longer it may not take; then it has failed with `unavailable`. */
  readonly timeoutMs: number;
  /** Runs once these are through, and is skipped if one of them failed. */
  readonly after?: readonly string[];
  /** Worth looking at again every so often while the node runs. */
  readonly everyMs?: number;
  /** What it throws is a failure too: with the code, the place and the fix of a NexaError. */
  run(): Promise<Finding>;
}
export interface CheckResult extends Finding {
  readonly check: string;
  readonly required: boolean;
  readonly tookMs: number;
}

/** What all of them came to. */
export interface SelfTest {
  /** Failed: a required check did. Degraded: an optional one. */
  readonly verdict: 'ok' | 'degraded' | 'failed';
  readonly tookMs: number;
  readonly checks: readonly CheckResult[];
}
