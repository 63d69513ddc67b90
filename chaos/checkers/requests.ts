import type { Operation } from '../history.ts';

/** All attempts under one request id, as the one operation they are meant to be. */
export interface Requested<Op, Result> {
  readonly name: string;
  readonly attempts: readonly Operation<Op, Result>[];
  /**
   * From the first attempt to the first answer. `fail` only if every attempt was definitely refused: a refused repeat says
   * nothing about an earlier attempt whose outcome nobody knows.
   */
  readonly operation: Operation<Op, Result>;
}

/**
 * A history with repeats as a history of requests: what the runtime promises is that each takes effect once, wherever between its
 * first attempt and its first answer. An operation without a request id is a request of its own.
 */
export function requestsOf<Op, Result>(operations: readonly Operation<Op, Result>[]): readonly Requested<Op, Result>[] {
  const groups = new Map<string, [Operation<Op, Result>, ...Operation<Op, Result>[]]>();
  operations.forEach((each, index) => {
    const name = each.requestId === undefined ? `#${index}` : `request ${each.requestId}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [each]);
    else group.push(each);
  });
  return [...groups].map(([name, attempts]) => {
    const telling = attempts.find((each) => each.outcome === 'ok') ?? attempts.find((each) => each.outcome === 'info') ?? attempts[0];
    return { name, attempts, operation: { ...telling, invokedAtMs: attempts[0].invokedAtMs } };
  });
}
