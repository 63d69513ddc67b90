import { type Interval, NOTICEABLE_MS, unavailable, uncovered } from '../checkers/availability.ts';
import { costsOf } from '../checkers/budgets.ts';
import type { Run } from '../run.ts';
import { faultNumber, faultText } from './fault-text.ts';

/** Somebody was asked and did not answer for more than 300 ms. */
export interface SilentWindow {
  readonly workload: string;
  readonly key: number;
  /** `type/id`; empty where the workload does not say. */
  readonly agent: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** The faults that were in force meanwhile. */
  readonly during: readonly string[];
  /** What a fault may cost explains it (docs/operations.md), but for 300 ms at most. */
  readonly explained: boolean;
}

export interface Silence {
  readonly windows: number;
  readonly unexplained: number;
  readonly longestMs: number;
  /** The unexplained ones and then the longest, at most 200. */
  readonly worst: readonly SilentWindow[];
}

const SHOWN = 200;

export function silenceOf(run: Run, { slackMs }: { readonly slackMs: number }): Silence {
  const costs = costsOf(run, slackMs);
  const faults = run.faults.filter(({ fault, skipped }) => skipped === undefined && fault.fault !== 'wait');
  const found = run.works.flatMap(({ workload, operations, agents, untilMs }) =>
    unavailable(operations, { untilMs, longerThanMs: NOTICEABLE_MS }).map((window): SilentWindow => {
      const overlaps = (each: Interval): boolean => each.fromMs < window.untilMs && window.fromMs < each.untilMs;
      return {
        ...{ workload, key: window.key, agent: agents[window.key] ?? '', fromMs: window.fromMs, untilMs: window.untilMs },
        during: faults.filter(overlaps).map(({ fault }) => faultNumber(fault) ?? faultText(fault)),
        explained: uncovered(window, costs).every((each) => each.untilMs - each.fromMs <= NOTICEABLE_MS),
      };
    }),
  );
  const length = ({ fromMs, untilMs }: Interval): number => untilMs - fromMs;
  return {
    windows: found.length,
    unexplained: found.filter(({ explained }) => !explained).length,
    longestMs: found.reduce((most, each) => Math.max(most, length(each)), 0),
    worst: [...found].sort((a, b) => Number(a.explained) - Number(b.explained) || length(b) - length(a)).slice(0, SHOWN),
  };
}
