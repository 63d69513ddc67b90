import type { Judged } from '../checkers/judged.ts';
import { timeline } from '../checkers/timeline.ts';
import type { WorkRecord } from '../workloads/work.ts';

/** What of a run shows best that a promise was broken. */
export interface CounterExample {
  readonly promise: string;
  readonly by: string;
  /** Several lines; the calls as bars over time where they are known. */
  readonly text: string;
}

/**
 * The smallest one: of violations that show calls the one with the fewest, else the calls of the first key that a violation names,
 * else the first violation in words. Undefined when nothing is violated.
 */
export function counterExample(works: readonly WorkRecord[], judged: readonly Judged[]): CounterExample | undefined {
  const found = judged.flatMap(({ promise, by, verdict }) =>
    verdict.verdict === 'bad' ? verdict.violations.map((text): CounterExample => ({ promise, by, text })) : [],
  );
  const lines = ({ text }: CounterExample): number => text.split('\n').length;
  const drawn = found.filter((each) => lines(each) > 1).sort((a, b) => lines(a) - lines(b));
  const [first] = found;
  return drawn[0] ?? found.map((each) => withCalls(each, works)).find((each) => each !== undefined) ?? first;
}

/** With the calls of the key that it names, up to the answer that it names; undefined if it names no key of a workload. */
function withCalls(violation: CounterExample, works: readonly WorkRecord[]): CounterExample | undefined {
  const key = /\bkey (\d+)\b/.exec(violation.text)?.[1];
  const work =
    works.find(({ workload }) => violation.by.split(/[^\w-]+/).includes(workload)) ?? (works.length === 1 ? works[0] : undefined);
  const calls = work?.operations.filter((each) => each.key === Number(key)) ?? [];
  if (key === undefined || calls.length === 0) return undefined;
  const request = /\brequest (\S+)/.exec(violation.text)?.[1];
  const named = calls.filter(({ requestId, endedAtMs }) => requestId === request && request !== undefined && Number.isFinite(endedAtMs));
  const ends = (named.length > 0 ? named : calls).map(({ endedAtMs }) => endedAtMs).filter(Number.isFinite);
  const cutMs = ends.reduce((most, endMs) => Math.max(most, endMs), 0);
  const known = calls.filter(({ invokedAtMs }) => invokedAtMs <= cutMs);
  return { ...violation, text: `${violation.text}\n${timeline(known, cutMs)}` };
}
