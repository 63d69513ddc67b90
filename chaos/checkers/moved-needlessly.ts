import type { Place } from '../act.ts';
import type { Placement } from '../run.ts';
import type { Stamped } from './epochs.ts';
import { isServer, type Met, wasMet } from './met.ts';
import { type Verdict, worstOf } from './verdict.ts';

/** An agent that was on one node and then on another. */
export interface Moved {
  readonly agent: string;
  readonly from: Place;
  readonly to: Place;
  readonly atMs: number;
  /** As its record says; undefined where only the places are known. */
  readonly cause?: string;
}

/** Of the records that name owners, in the order of their store. */
export function movesOf(records: readonly Stamped[]): readonly Moved[] {
  const at = new Map<string, Place>();
  return records.flatMap(({ agent, by, cause, log, atMs = 0 }) => {
    if (log !== 'AGENTS' || by === undefined) return [];
    const [to, from] = [by.slice(0, by.lastIndexOf('.')), at.get(agent)];
    at.set(agent, to);
    return from === undefined || from === to ? [] : [{ agent, from, to, atMs, ...(cause === undefined ? {} : { cause }) }];
  });
}

/** Of what was seen now and then: when exactly, and why, is not known. */
export function movesBetween(placements: readonly Placement[]): readonly Moved[] {
  const at = new Map<string, Place>();
  return [...placements]
    .sort((a, b) => a.atMs - b.atMs)
    .flatMap(({ atMs, agents }) =>
      agents.flatMap(({ agent, node }) => {
        const from = at.get(agent);
        if (node !== null) at.set(agent, node);
        return node === null || from === undefined || from === node ? [] : [{ agent, from, to: node, atMs }];
      }),
    );
}

/** As long after a fault as it may take to find out, and to take over. */
const SETTLED_MS = 60_000;

/**
 * C5, C10: nothing moves that need not. An agent leaves a node that something was done to; when nothing but servers failed, nobody is taken over. To
 * even the load out it may go at any time: a node weighs not how many agents it has, but what they have to do, which is not seen from here. And who was stopped and is spawned anew elsewhere has not
 * moved. Where only the places are known, and nothing had been done to either of them, it is unknown why.
 */
export function movedNeedlessly(moves: readonly Moved[], met: readonly Met[]): Verdict {
  const nodesMet = met.filter(({ place }) => !isServer(place));
  const explained = (moved: Moved): boolean => {
    if (moved.cause === 'spawn' || moved.cause === 'rebalance') return true;
    if (wasMet(met, moved.from, moved.atMs, SETTLED_MS)) return true;
    // Without its cause it may have been to even out what a fault had brought about.
    return moved.cause === undefined && nodesMet.some((each) => each.fromMs <= moved.atMs);
  };
  return worstOf(
    moves
      .filter((each) => !explained(each))
      .map(({ agent, from, to, atMs, cause }): Verdict => {
        const what = `${agent} moved from ${from} to ${to} at ${atMs.toFixed(0)} ms`;
        if (cause === undefined) return { verdict: 'unknown', reason: `${what}, and nobody knows why` };
        return { verdict: 'bad', violations: [`${what} (${cause}), and nothing had been done to ${from}`] };
      }),
  );
}
