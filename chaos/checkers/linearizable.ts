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
  const seen = new Map<string, bigint[]>();
  let visited = 0;
  const stack: {
    readonly state: State;
    readonly first: number;
    readonly ahead: readonly number[];
    readonly used: bigint;
    readonly without?: State;
  }[] = [{ state: model.init, first: 0, ahead: [], used: 0n }];

  // A configuration: every closed call below `first` and those in `ahead` have taken effect, and the open ones in the set `used`.
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { first, ahead, used } = at;
    if (first === closed.length) return 'yes';
    // An open call that was not used need never be: what fewer of them led to here is worth at least as much.
    const id = `${first}:${ahead}:${model.key(at.state)}`;
    const before = seen.get(id) ?? [];
    if (before.some((fewer) => (fewer & used) === fewer)) continue;
    if (++visited > maxStates) return 'budget';
    seen.set(id, [...before.filter((more) => (more & used) !== used), used]);

    let horizonMs = Number.POSITIVE_INFINITY;
    const candidates: number[] = [];
    for (let index = first; index < closed.length; index++) {
      const call = closed[index] as Interval<Op, Result>;
      if (call.beginMs > horizonMs) break;
      if (ahead.includes(index)) continue;
      candidates.push(index);
      horizonMs = Math.min(horizonMs, call.endMs);
    }

    // An open call that the next step does not depend on need not have been: `without` is the state before it.
    const next = (op: Op, result: Result | undefined): State | undefined => {
      const state = model.step(at.state, op, result);
      if (state === undefined || at.without === undefined) return state;
      const same = model.step(at.without, op, result);
      return same !== undefined && model.key(same) === model.key(state) ? undefined : state;
    };

    // Pushed last is tried first: open calls only when nothing else helps, then the closed ones, earliest answer first.
    for (let index = open.length - 1; index >= 0; index--) {
      const call = open[index] as Interval<Op, Result>;
      const twin = twinOf[index] as number;
      if (call.beginMs > horizonMs || has(used, index) || (twin >= 0 && !has(used, twin))) continue;
      const state = next(call.op, undefined);
      if (state === undefined || model.key(state) === model.key(at.state)) continue;
      stack.push({ first, ahead, used: used | (1n << BigInt(index)), state, without: at.state });
    }
    candidates.sort((a, b) => (closed[b] as Interval<Op, Result>).endMs - (closed[a] as Interval<Op, Result>).endMs);
    for (const index of candidates) {
      const call = closed[index] as Interval<Op, Result>;
      if (call.beginMs > horizonMs) continue;
      const state = next(call.op, call.result);
      if (state !== undefined) stack.push({ ...advance(first, ahead, index), used, state });
    }
  }
  return 'no';
}

const has = (set: bigint, index: number): boolean => ((set >> BigInt(index)) & 1n) === 1n;

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
