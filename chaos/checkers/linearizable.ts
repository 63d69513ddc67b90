import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import { timeline } from './timeline.ts';
import { type Verdict, worstOf } from './verdict.ts';

/** What one object does when it is called by one caller at a time. */
export interface Model<State, Op, Result> {
  readonly init: State;
  /**
   * The state after `op` answered `result`, or undefined if it cannot have answered that in this state. `result` is undefined
   * where nobody saw the answer: then whatever the object would have done.
   */
  step(state: State, op: Op, result: Result | undefined): State | undefined;
  /** Equal for equal states and only for them. */
  key(state: State): string;
}

interface Interval<Op, Result> {
  readonly op: Op;
  readonly result: Result | undefined;
  readonly beginMs: number;
  /** Infinity where nobody knows: it may take effect at any time after it began, or never. */
  readonly endMs: number;
}

type Answer = 'yes' | 'no' | 'budget';

/**
 * Whether some order of the calls, each taking effect at one instant between its invocation and its answer, explains every
 * answer (Wing and Gong's search with Lowe's memo). Calls with outcome `fail` did not happen; calls with `info` happened at
 * any time after their invocation or never.
 *
 * Keys are judged one by one. `maxStates` (default 500,000) bounds the search per key, in configurations visited; beyond it
 * the verdict is `unknown`. A violation shows the shortest part of the history that already has no explanation.
 */
export function linearizable<State, Op, Result>(
  model: Model<State, Op, Result>,
  operations: readonly Operation<Op, Result>[],
  options: { readonly maxStates?: number } = {},
): Verdict {
  const maxStates = options.maxStates ?? 500_000;
  const happened = byKey(operations.filter((each) => each.outcome !== 'fail'));
  return worstOf([...happened].map(([key, ofKey]) => judge(model, key, ofKey, maxStates)));
}

function judge<State, Op, Result>(
  model: Model<State, Op, Result>,
  key: number,
  operations: readonly Operation<Op, Result>[],
  maxStates: number,
): Verdict {
  const answer = explain(model, upTo(operations, Number.POSITIVE_INFINITY), maxStates);
  if (answer === 'yes') return { verdict: 'ok' };
  if (answer === 'budget') return { verdict: 'unknown', reason: `key ${key}: no decision within ${maxStates} configurations` };
  const cutMs = shortestFailure(model, operations, maxStates);
  const part = operations.filter((each) => each.invokedAtMs <= cutMs);
  return {
    verdict: 'bad',
    violations: [`key ${key} is not linearizable: no order of these calls explains the last answer\n${timeline(part, cutMs)}`],
  };
}

/** A history stays inexplicable whatever follows, so the first answer that breaks it is found by bisection. */
function shortestFailure<State, Op, Result>(
  model: Model<State, Op, Result>,
  operations: readonly Operation<Op, Result>[],
  maxStates: number,
): number {
  const ends = operations.filter((each) => each.outcome === 'ok').map((each) => each.endedAtMs);
  ends.sort((a, b) => a - b);
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (explain(model, upTo(operations, ends[middle] as number), maxStates) === 'no') high = middle;
    else low = middle + 1;
  }
  return ends[high] as number;
}

/** The history as it was known at one instant: what had not been answered by then is open. */
function upTo<Op, Result>(operations: readonly Operation<Op, Result>[], cutMs: number): Interval<Op, Result>[] {
  return operations
    .filter((each) => each.invokedAtMs <= cutMs)
    .map((each) =>
      each.outcome === 'ok' && each.endedAtMs <= cutMs
        ? { op: each.op, result: each.result, beginMs: each.invokedAtMs, endMs: each.endedAtMs }
        : { op: each.op, result: undefined, beginMs: each.invokedAtMs, endMs: Number.POSITIVE_INFINITY },
    );
}

function explain<State, Op, Result>(
  model: Model<State, Op, Result>,
  intervals: readonly Interval<Op, Result>[],
  maxStates: number,
): Answer {
  const begun = (a: Interval<Op, Result>, b: Interval<Op, Result>): number => a.beginMs - b.beginMs;
  const closed = intervals.filter((each) => each.endMs !== Number.POSITIVE_INFINITY).sort(begun);
  const open = intervals.filter((each) => each.endMs === Number.POSITIVE_INFINITY).sort(begun);
  // Equal open calls are interchangeable, and the one that began first may go wherever a later one may: only it is tried.
  const texts = open.map((each) => JSON.stringify(each.op));
  const twinOf = texts.map((text, index) => texts.slice(0, index).lastIndexOf(text));
  const seen = new Set<string>();
  const stack: { readonly state: State; readonly first: number; readonly ahead: readonly number[]; readonly used: readonly number[] }[] = [
    { state: model.init, first: 0, ahead: [], used: [] },
  ];

  // A configuration: every closed call below `first` and those in `ahead` have taken effect, and the open ones in `used`.
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at.first === closed.length) return 'yes';
    const id = `${at.first}:${at.ahead}:${at.used}:${model.key(at.state)}`;
    if (seen.has(id)) continue;
    if (seen.size >= maxStates) return 'budget';
    seen.add(id);

    let horizonMs = Number.POSITIVE_INFINITY;
    const candidates: number[] = [];
    for (let index = at.first; index < closed.length; index++) {
      const call = closed[index] as Interval<Op, Result>;
      if (call.beginMs > horizonMs) break;
      if (at.ahead.includes(index)) continue;
      candidates.push(index);
      horizonMs = Math.min(horizonMs, call.endMs);
    }

    // Pushed last is tried first: open calls only when nothing else helps, then the closed ones, earliest answer first.
    for (let index = open.length - 1; index >= 0; index--) {
      const call = open[index] as Interval<Op, Result>;
      const twin = twinOf[index] as number;
      if (call.beginMs > horizonMs || at.used.includes(index) || (twin >= 0 && !at.used.includes(twin))) continue;
      const state = model.step(at.state, call.op, undefined);
      if (state === undefined || model.key(state) === model.key(at.state)) continue;
      stack.push({ ...at, state, used: [...at.used, index].sort((a, b) => a - b) });
    }
    candidates.sort((a, b) => (closed[b] as Interval<Op, Result>).endMs - (closed[a] as Interval<Op, Result>).endMs);
    for (const index of candidates) {
      const call = closed[index] as Interval<Op, Result>;
      if (call.beginMs > horizonMs) continue;
      const state = model.step(at.state, call.op, call.result);
      if (state !== undefined) stack.push({ ...advance(at.first, at.ahead, index), used: at.used, state });
    }
  }
  return 'no';
}

/** One form per set of calls that took effect: the memo compares it. */
function advance(first: number, ahead: readonly number[], done: number): { readonly first: number; readonly ahead: readonly number[] } {
  if (done !== first) return { first, ahead: [...ahead, done].sort((a, b) => a - b) };
  let next = first + 1;
  let skipped = 0;
  while (ahead[skipped] === next) {
    next++;
    skipped++;
  }
  return { first: next, ahead: ahead.slice(skipped) };
}
