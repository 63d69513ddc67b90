import type { NexaError } from '../../errors.ts';
import type { Cell } from './cell.ts';

/** What went wrong with a cell; most never have any of it. */
export interface Crashes {
  restarts: number;
  lastError: NexaError | undefined;
  /** On the wall clock. */
  failedAtMs: number;
  /** When it (or, for shared scopes, any of its children) was restarted lately. */
  restartedAtMs: number[];
  /** The child whose failure its own was at first. */
  culprit: Cell | undefined;
  /** Not attended to yet. */
  failure: { readonly error: NexaError; readonly culprit: Cell | undefined } | undefined;
}

export function crashesOf(cell: Cell): Crashes {
  cell.crashes ??= { restarts: 0, lastError: undefined, failedAtMs: 0, restartedAtMs: [], culprit: undefined, failure: undefined };
  return cell.crashes;
}
