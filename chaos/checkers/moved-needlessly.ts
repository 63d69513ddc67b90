import type { Place } from '../act.ts';
import type { Placement } from '../run.ts';
import type { Stamped } from './epochs.ts';
import { isServer, type Met, wasMet } from './met.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** An agent that was on one node and then on another. */
export interface Moved {
  readonly agent: string;
  readonly from: Place;
  readonly to: Place;
  readonly atMs: number;
  /** As its record says; undefined where only the places are known. */
  readonly cause?: string;
  /** It left a node with at least two agents more than the one it came to. */
  readonly evened?: true;
}

/** Of the records that name owners, in the order of their store. */
export function movesOf(records: readonly Stamped[]): readonly Moved[] {
  const at = new Map<string, Place>();
  const carried = (node: Place): number => [...at.values()].filter((each) => each === node).length;
  return records.flatMap(({ agent, by, cause, log, what, atMs = 0 }) => {
    if (log !== 'AGENTS') return [];
    if (by === undefined) {
      if (what?.startsWith('stopped') === true) at.delete(agent);
      return [];
    }
    const [to, from] = [by.slice(0, by.lastIndexOf('.')), at.get(agent)];
    const evened = from !== undefined && carried(from) >= carried(to) + 2;
    at.set(agent, to);
    if (from === undefined || from === to) return [];
    return [{ agent, from, to, atMs, ...(cause === undefined ? {} : { cause }), ...(evened ? { evened } : {}) }];
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

/** As long after a fault as it may take to find out, to take over, and to even the load out again. */
const SETTLED_MS = 60_000;

/**
 * C5, C10: nothing moves that need not. An agent leaves a node that something was done to. To even the load out it may go anywhere, but not
 * because of a server: when nothing but servers failed, nobody moves but from a node that has more to one that has less. Who was stopped and is
 * spawned anew elsewhere has not moved.
 */
export function movedNeedlessly(moves: readonly Moved[], met: readonly Met[]): Verdict {
  const nodesMet = met.filter(({ place }) => !isServer(place));
  const serversMet = met.filter(({ place }) => isServer(place));
  const evens = ({ atMs }: Moved): boolean =>
    nodesMet.some((each) => each.fromMs <= atMs) || !serversMet.some((each) => each.fromMs <= atMs && atMs <= each.untilMs + SETTLED_MS);
  const explained = (moved: Moved): boolean => {
    if (moved.cause === 'spawn') return true;
    if (moved.cause === 'rebalance') return moved.evened === true || evens(moved);
    if (wasMet(met, moved.from, moved.atMs, SETTLED_MS)) return true;
    // Without its cause it may have been to even out what a fault had brought about.
    return moved.cause === undefined && nodesMet.some((each) => each.fromMs <= moved.atMs);
  };
  return verdictOf(
    moves
      .filter((each) => !explained(each))
      .map(
        ({ agent, from, to, atMs, cause }) =>
          `${agent} moved from ${from} to ${to} at ${atMs.toFixed(0)} ms${cause === undefined ? '' : ` (${cause})`}, and nothing had been done to ${from}`,
      ),
  );
}
