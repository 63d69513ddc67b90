import type { SeededRandom } from '../../src/memory/random.ts';
import type { Fault } from '../fault.ts';
import { lengthMs } from '../faults/index.ts';
import { PLAN_LIMITS } from '../plan-file.ts';
import type { Purpose } from './purposes.ts';

/** A drill by name: what goes wrong, while which work is done, to show which promises. */
export interface DrillKind {
  readonly name: string;
  /** One sentence for a list of them. */
  readonly about: string;
  /** What it is there to show, of docs/semantics.md; whatever else was looked at is judged too. */
  readonly promises: readonly string[];
  readonly nodes: number;
  readonly servers: 1 | 3;
  /** How long, if nobody says otherwise. */
  readonly minutes: number;
  readonly workloads: readonly string[];
  /** Which of them a seed has, if not all. The same seed, the same workloads. */
  readonly worksOf?: (random: SeededRandom) => readonly string[];
  /** The same seed, the same faults. */
  readonly faults: (random: SeededRandom, durationMs: number) => readonly Fault[];
  /** What a run has to have seen once, or it shows nothing. */
  readonly purposes: readonly Purpose[];
  /** Most until an agent answers whose node was killed, at the 99th percentile. */
  readonly firstOkMs?: { readonly seen: number; readonly silent: number };
  /** Faults that a world lacks are left out and named; otherwise they are refused. */
  readonly swarm?: true;
}

/** Rounds of faults, one after the other, until the time is full: what of the last one does not fit is left out. */
export function rounds(durationMs: number, round: (index: number) => readonly Fault[]): readonly Fault[] {
  const faults: Fault[] = [];
  let spentMs = 0;
  for (let index = 0; ; index++) {
    if (index > 0 && spentMs >= durationMs) return faults;
    const next = round(index);
    if (faults.length + next.length > PLAN_LIMITS.faults / 2) return faults;
    faults.push(...next);
    // A round without any length would never end.
    spentMs += Math.max(
      1_000,
      next.reduce((sum, fault) => sum + lengthMs(fault), 0),
    );
  }
}

export const waitOf = (random: SeededRandom, leastMs: number, mostMs: number): Fault => ({
  fault: 'wait',
  forMs: random.between(leastMs, mostMs),
});

export const pick = <T>(random: SeededRandom, ...items: readonly [T, ...T[]]): T => items[random.between(0, items.length - 1)] as T;
