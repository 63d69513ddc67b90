import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import type { CounterOp, CounterResult } from './models.ts';
import { type Requested, requestsOf } from './requests.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

type CounterOperation = Operation<CounterOp, CounterResult>;
type Request = Requested<CounterOp, CounterResult> & {
  /** What it adds; a read adds 0. */
  readonly by: number;
};

/** Above this many possible totals the sums are no longer told apart: the bounds alone decide. */
const manySums = 100_000;

/**
 * Every acknowledged addition took effect exactly once, every refused one never, one whose outcome nobody knows at most once; a
 * request repeated under one request id counts as one. Checked on the value each key ended with, and on every answer on the way:
 * repeats of one request are answered alike, two additions never alike, and no answer misses an addition that was acknowledged
 * before it was asked for.
 *
 * `finals`: each key's value, read when nothing was in flight any more. A key without one is `unknown`. Additions are positive
 * integers and counters begin with 0.
 */
export function exactlyOnceCounter(operations: readonly CounterOperation[], finals: ReadonlyMap<number, number>): Verdict {
  return worstOf([...byKey(operations)].map(([key, ofKey]) => judge(key, ofKey, finals.get(key))));
}

function judge(key: number, operations: readonly CounterOperation[], final: number | undefined): Verdict {
  const requests = requestsOf(operations).map((each) => ({ ...each, by: each.operation.op.type === 'add' ? each.operation.op.by : 0 }));
  const additions = requests.filter((each) => each.operation.op.type === 'add');
  const odd = additions.find((each) => !Number.isSafeInteger(each.by) || each.by < 1);
  if (odd !== undefined)
    return { verdict: 'unknown', reason: `key ${key}: ${odd.name} adds ${odd.by}; only positive integers can be told apart` };
  const violations = [...repeats(additions), ...answers(requests), ...(final === undefined ? [] : ending(additions, final))];
  if (violations.length === 0 && final === undefined) return { verdict: 'unknown', reason: `key ${key}: no final value was read` };
  return verdictOf(violations.map((each) => `key ${key}: ${each}`));
}

const sumOf = (requests: readonly Request[]): number => requests.reduce((total, each) => total + each.by, 0);

/** A repeat gets the stored reply; a value that two additions both got shows a lost effect. */
function repeats(additions: readonly Request[]): string[] {
  const owner = new Map<number, string>();
  const violations: string[] = [];
  for (const { name, attempts } of additions) {
    const values = new Set(attempts.flatMap((each) => (each.outcome === 'ok' ? [each.result.value] : [])));
    if (values.size > 1) violations.push(`${name} was answered ${[...values].join(' and ')}: it took effect more than once`);
    for (const value of values) {
      const other = owner.get(value);
      if (other !== undefined) violations.push(`${other} and ${name} were both answered ${value}: one of them is lost`);
      owner.set(value, name);
    }
  }
  return violations;
}

/** What was acknowledged before a request began is in its answer; what began after its answer is not. */
function answers(requests: readonly Request[]): string[] {
  const acknowledged = requests.filter((each) => each.operation.outcome === 'ok');
  const possible = requests.filter((each) => each.operation.outcome !== 'fail');
  return requests.flatMap(({ name, by, operation }) => {
    if (operation.outcome !== 'ok') return [];
    const { value } = operation.result;
    const least = by + sumOf(acknowledged.filter((each) => each.operation.endedAtMs < operation.invokedAtMs));
    const most = sumOf(possible.filter((each) => each.operation.invokedAtMs <= operation.endedAtMs));
    if (value < least) return [`${name} was answered ${value}, but ${least} had been acknowledged: an effect is lost`];
    return value > most ? [`${name} was answered ${value}, but at most ${most} had been asked for: an effect is doubled`] : [];
  });
}

function ending(additions: readonly Request[], final: number): string[] {
  const least = sumOf(additions.filter((each) => each.operation.outcome === 'ok'));
  const unknown = additions.filter((each) => each.operation.outcome === 'info');
  const most = least + sumOf(unknown);
  if (final < least) return [`ended with ${final}, but ${least} was acknowledged: ${least - final} is lost`];
  if (final > most) return [`ended with ${final}, but at most ${most} can have been added: ${final - most} too much`];
  let sums = new Set([least]);
  for (const { by } of unknown) {
    if (sums.size > manySums) return [];
    sums = new Set([...sums, ...[...sums].map((total) => total + by)]);
  }
  return sums.has(final) ? [] : [`ended with ${final}, which no choice of the ${unknown.length} additions with unknown outcome explains`];
}
