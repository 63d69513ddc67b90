import { checkReplica, type Fields, fieldsOf, isReplica, MOST_REPLICAS, misfit, own } from './plain.ts';

/**
 * A set of dots. A dot is one change of one replica, (replica, n) with n counted from 1. Runs of n are kept as `from, to, from, to …`,
 * rising and with gaps between them; what a replica has seen is so one run for each other one, whatever the number of changes.
 */
export type Dots = Readonly<Record<string, Runs>>;
type Runs = readonly number[];

export const NO_DOTS: Dots = {};
/** Runs of one replica's dots in one set. */
const MOST_RUNS = 5_000;

export const isEmpty = (dots: Dots): boolean => {
  for (const _ in dots) return false;
  return true;
};
export const union = (a: Dots, b: Dots): Dots => combine(a, b, (inA, inB) => inA || inB);
export const minus = (a: Dots, b: Dots): Dots => combine(a, b, (inA, inB) => inA && !inB);
export const both = (a: Dots, b: Dots): Dots => combine(a, b, (inA, inB) => inA && inB);

/** The next change of a replica that has seen these. @throws NexaError `bad-id`. */
export function nextDot(seen: Dots, replica: string): Dots {
  checkReplica(replica);
  const n = (own(seen, replica)?.at(-1) ?? 0) + 1;
  return { [replica]: [n, n] };
}

/** All of them together, at the cost of sorting them. */
export function unionOf(all: Iterable<Dots>): Dots {
  const found = new Map<string, [number, number][]>();
  for (const dots of all) {
    for (const [replica, runs] of Object.entries(dots)) {
      const list = found.get(replica) ?? [];
      found.set(replica, list);
      for (let at = 0; at < runs.length; at += 2) list.push([runs[at] as number, runs[at + 1] as number]);
    }
  }
  return Object.fromEntries([...found].map(([replica, runs]) => [replica, joined(runs)]));
}
function joined(runs: readonly (readonly [number, number])[]): Runs {
  const made: number[] = [];
  for (const [from, to] of runs.toSorted(([a], [b]) => a - b)) {
    const last = made.at(-1);
    if (last !== undefined && from <= last + 1) made[made.length - 1] = Math.max(last, to);
    else made.push(from, to);
  }
  return made;
}

/** @throws NexaError `invalid-message`. */
export function parseDots(data: unknown, field: string): Dots {
  for (const [replica, runs] of fieldsOf(data, field, MOST_REPLICAS)) {
    const at = `${field}.${replica.slice(0, 128)}`;
    if (!isReplica(replica)) throw misfit(at, 'names no replica');
    if (!Array.isArray(runs) || runs.length === 0 || runs.length % 2 !== 0 || runs.length > 2 * MOST_RUNS)
      throw misfit(at, `is no list of 1 … ${MOST_RUNS} runs`);
    for (const [index, n] of runs.entries()) {
      const least = index === 0 ? 1 : runs[index - 1] + (index % 2 === 0 ? 2 : 0);
      // One below the largest, so that there is always a next one.
      if (!Number.isSafeInteger(n) || n < least || n >= Number.MAX_SAFE_INTEGER) throw misfit(at, 'has runs that do not rise');
    }
  }
  return data as Fields as Dots;
}

/** Whether merging went beyond what `parseDots` takes. */
export const tooMany = (dots: Dots): boolean => {
  const runs = Object.values(dots);
  return runs.length > MOST_REPLICAS || runs.some(({ length }) => length > 2 * MOST_RUNS);
};

type Keep = (inA: boolean, inB: boolean) => boolean;
function combine(a: Dots, b: Dots, keep: Keep): Dots {
  const made: Record<string, Runs> = {};
  for (const replica in a) put(made, replica, combineRuns(a[replica] as Runs, own(b, replica) ?? [], keep));
  for (const replica in b) if (!Object.hasOwn(a, replica)) put(made, replica, combineRuns([], b[replica] as Runs, keep));
  return made;
}
function put(made: Record<string, Runs>, replica: string, runs: Runs): void {
  if (runs.length > 0) made[replica] = runs;
}

/** An even index opens a run at its number, an odd one closes it behind its number. */
const edge = (runs: Runs, index: number): number =>
  index < runs.length ? (runs[index] as number) + (index % 2) : Number.POSITIVE_INFINITY;

function combineRuns(a: Runs, b: Runs, keep: Keep): Runs {
  const made: number[] = [];
  let kept = false;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const at = Math.min(edge(a, i), edge(b, j));
    if (edge(a, i) === at) i++;
    if (edge(b, j) === at) j++;
    const keeps = keep(i % 2 === 1, j % 2 === 1);
    if (keeps !== kept) made.push(keeps ? at : at - 1);
    kept = keeps;
  }
  return made;
}
