import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import { type Requested, requestsOf } from './requests.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

export type ListOp = { readonly type: 'append'; readonly value: number } | { readonly type: 'read' };
/** Everything that is in the list after the command, in order. */
export interface ListResult {
  readonly values: readonly number[];
}
type ListOperation = Operation<ListOp, ListResult>;

/**
 * A list that only grows, to which every append adds a value of its own: every answer is a beginning of what the list ended with,
 * it is no shorter than any answer that was there before it was asked for, an acknowledged append is in it once, one whose outcome
 * nobody knows at most once, a refused one never. Stronger than the model of a register, and cheap: order is in the values.
 *
 * `finals`: each key's list, read when nothing was in flight any more. A key without one is `unknown`.
 */
export function appendList(operations: readonly ListOperation[], finals: ReadonlyMap<number, ListResult>): Verdict {
  return worstOf([...byKey(operations)].map(([key, ofKey]) => judge(key, ofKey, finals.get(key)?.values)));
}

function judge(key: number, operations: readonly ListOperation[], final: readonly number[] | undefined): Verdict {
  if (final === undefined) return { verdict: 'unknown', reason: `key ${key}: no final list was read` };
  const requests = requestsOf(operations);
  return verdictOf([...ending(requests, final), ...beginnings(requests, final), ...inTime(requests)].map((each) => `key ${key}: ${each}`));
}

type Request = Requested<ListOp, ListResult>;

function ending(requests: readonly Request[], final: readonly number[]): string[] {
  const times = new Map<number, number>();
  for (const value of final) times.set(value, (times.get(value) ?? 0) + 1);
  const asked = new Set<number>();
  const violations = requests.flatMap(({ name, operation: { op, outcome } }) => {
    if (op.type !== 'append') return [];
    asked.add(op.value);
    const found = times.get(op.value) ?? 0;
    if (found > 1) return [`${name} appended ${op.value} more than once: it is there ${found} times`];
    if (found === 0 && outcome === 'ok') return [`${name} appended ${op.value}, which was acknowledged and is lost`];
    return found === 1 && outcome === 'fail' ? [`${name} was definitely refused, and ${op.value} is there`] : [];
  });
  return [...violations, ...final.filter((value) => !asked.has(value)).map((value) => `${value} is there, which nobody appended`)];
}

function beginnings(requests: readonly Request[], final: readonly number[]): string[] {
  return requests.flatMap(({ name, attempts }) =>
    attempts.flatMap((attempt) => {
      if (attempt.outcome !== 'ok') return [];
      const { values } = attempt.result;
      const at = values.findIndex((value, index) => value !== final[index]);
      if (at >= 0) return [`${name} saw ${values[at]} at ${at}, where the list ended with ${final[at] ?? 'nothing'}: an effect is lost`];
      if (attempt.op.type === 'append' && !values.includes(attempt.op.value)) return [`${name} does not see what it appended itself`];
      return [];
    }),
  );
}

/** A repeat under one request id is answered as it was the first time: only the first answer of a request says when it was. */
function inTime(requests: readonly Request[]): string[] {
  const answered = requests.flatMap(({ name, operation }) => (operation.outcome === 'ok' ? [{ name, operation }] : []));
  const byEnd = [...answered].sort((a, b) => a.operation.endedAtMs - b.operation.endedAtMs);
  const byStart = [...answered].sort((a, b) => a.operation.invokedAtMs - b.operation.invokedAtMs);
  let least = 0;
  let ended = 0;
  return byStart.flatMap(({ name, operation }) => {
    for (let each = byEnd[ended]; each !== undefined && each.operation.endedAtMs < operation.invokedAtMs; each = byEnd[++ended])
      least = Math.max(least, each.operation.result.values.length);
    const { length } = operation.result.values;
    return length < least ? [`${name} saw ${length} values, but ${least} had been seen before it began: an effect is lost`] : [];
  });
}
