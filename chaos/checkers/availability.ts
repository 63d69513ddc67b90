import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** A stretch in which a key was asked and did not answer. */
export interface Window {
  readonly key: number;
  readonly fromMs: number;
  readonly untilMs: number;
}
export interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Shorter ones are latency. */
export const NOTICEABLE_MS = 300;

/** A declared refusal is an answer: the agent is there. */
const isAnswer = (operation: Operation<unknown, unknown>): boolean =>
  operation.outcome === 'ok' || (operation.outcome === 'fail' && operation.error.code === 'refused');

/**
 * From the first call after an answer to the next answer, or to the last call that was given up. A key that nobody asks for `longerThanMs`
 * is not unavailable meanwhile. What is open when the observation ends, at `untilMs`, is unavailable until then.
 */
export function unavailable(
  operations: readonly Operation<unknown, unknown>[],
  options: { readonly untilMs: number; readonly longerThanMs?: number },
): readonly Window[] {
  const { untilMs, longerThanMs = NOTICEABLE_MS } = options;
  return [...byKey(operations)].flatMap(([key, ofKey]) => windowsOf(ofKey, untilMs, longerThanMs).map((each) => ({ key, ...each })));
}

function windowsOf(operations: readonly Operation<unknown, unknown>[], untilMs: number, longerThanMs: number): readonly Interval[] {
  const windows: Interval[] = [];
  let fromMs: number | undefined;
  let open = 0;
  let givenUpMs = 0;
  const close = (atMs: number): void => {
    if (fromMs !== undefined && atMs - fromMs > longerThanMs) windows.push({ fromMs, untilMs: atMs });
    fromMs = undefined;
  };
  for (const { atMs, what } of eventsOf(operations, untilMs)) {
    if (what === 'begins') {
      if (open === 0 && fromMs !== undefined && atMs - givenUpMs > longerThanMs) close(givenUpMs);
      fromMs ??= atMs;
      open++;
      continue;
    }
    open--;
    givenUpMs = atMs;
    if (what === 'given up') continue;
    close(atMs);
    if (open > 0) fromMs = atMs;
  }
  close(open > 0 ? untilMs : givenUpMs);
  return windows;
}

/** By time; of one instant what ends comes first. An end beyond the observation is none. */
function eventsOf(operations: readonly Operation<unknown, unknown>[], untilMs: number) {
  const events = operations.flatMap((each) => [
    { atMs: each.invokedAtMs, what: 'begins' as const, rank: 1 },
    ...(each.endedAtMs <= untilMs
      ? [{ atMs: each.endedAtMs, what: isAnswer(each) ? ('answered' as const) : ('given up' as const), rank: 0 }]
      : []),
  ]);
  return events.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.rank - b.rank);
}

/** The parts of an interval that none of the others covers, in order. */
export function uncovered(interval: Interval, by: readonly Interval[]): readonly Interval[] {
  let atMs = interval.fromMs;
  const left: Interval[] = [];
  for (const each of [...by].sort((a, b) => a.fromMs - b.fromMs)) {
    if (each.untilMs <= atMs) continue;
    if (each.fromMs >= interval.untilMs) break;
    if (each.fromMs > atMs) left.push({ fromMs: atMs, untilMs: each.fromMs });
    atMs = each.untilMs;
  }
  return atMs < interval.untilMs ? [...left, { fromMs: atMs, untilMs: interval.untilMs }] : left;
}

/**
 * C5, C6: a key that is asked answers, but for what a fault may cost. `allowed` are the faults, each with what it may take afterwards;
 * outside of them a key may be silent for `mostMs`, which is for a machine that is busy with something else.
 */
export function availability(options: {
  readonly operations: readonly Operation<unknown, unknown>[];
  readonly allowed: readonly Interval[];
  readonly mostMs: number;
  readonly untilMs: number;
}): Verdict {
  const { operations, allowed, mostMs, untilMs } = options;
  return verdictOf(
    unavailable(operations, { untilMs, longerThanMs: mostMs }).flatMap((window) => {
      const longest = uncovered(window, allowed).find((each) => each.untilMs - each.fromMs > mostMs);
      if (longest === undefined) return [];
      const lasted = `${(longest.untilMs - longest.fromMs).toFixed(0)} ms from ${longest.fromMs.toFixed(0)} ms on`;
      return [`key ${window.key} was asked and did not answer for ${lasted}, beyond what any fault may cost`];
    }),
  );
}
