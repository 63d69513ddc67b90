import type { Operation } from '../history.ts';
import { type Spread, spread } from '../spread.ts';

/** What came of calls. Times in milliseconds, from a call to its outcome. */
export interface Operations {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Calls under a request id that had been used before: repeats of what nobody knew. */
  readonly repeats: number;
  /** Answered with ok, a second, while the work went on. */
  readonly perSecond: number;
  /** Of those that were answered with ok; null without any. */
  readonly okMs: Spread | null;
  /** Of those that failed definitely; null without any. */
  readonly failMs: Spread | null;
  /** How often each error code, definite or not. */
  readonly errors: Readonly<Record<string, number>>;
}

export function operationsOf(operations: readonly Operation<unknown, unknown>[], forMs: number): Operations {
  const took = { ok: [] as number[], fail: [] as number[] };
  let info = 0;
  const errors = new Map<string, number>();
  const requests = new Set<string>();
  let repeats = 0;
  for (const each of operations) {
    if (each.outcome === 'info') info++;
    else took[each.outcome].push(each.endedAtMs - each.invokedAtMs);
    if (each.outcome !== 'ok') errors.set(each.error.code, (errors.get(each.error.code) ?? 0) + 1);
    if (each.requestId === undefined) continue;
    if (requests.has(each.requestId)) repeats++;
    requests.add(each.requestId);
  }
  return {
    ...{ ok: took.ok.length, fail: took.fail.length, info, repeats },
    perSecond: forMs > 0 ? Math.round((took.ok.length / forMs) * 10_000) / 10 : 0,
    okMs: took.ok.length > 0 ? spread(took.ok) : null,
    failMs: took.fail.length > 0 ? spread(took.fail) : null,
    errors: Object.fromEntries([...errors].sort(([, a], [, b]) => b - a)),
  };
}
