import type { Exit } from '../world.ts';
import { isServer, type Met, wasMet } from './met.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

/** A node that left, and one whose incarnation was over (docs/operations.md). */
const LEFT = 0;
const OVER = 75;
/** A signal is seen a little later than it was sent. */
const SOON_MS = 5_000;
/** A node that cannot start while something is broken ends and is started again, with back-off. */
const STARTING_MS = 60_000;

/**
 * L2, B1, B3: a process of a node ends because it was told to, because its incarnation is over, or by a signal of the drill, and never by itself.
 * One that cannot start during a fault, after it had been ended, is tried again: that is no end of its own. A server that ends unasked
 * says nothing about Nexa: then it is unknown.
 */
export function exits(ended: readonly Exit[], met: readonly Met[]): Verdict {
  const nodes = ended.filter(({ place }) => !isServer(place));
  const servers = ended.filter(({ place }) => isServer(place));
  return worstOf([
    verdictOf(
      nodes.flatMap((exit) => {
        const { place, atMs, code } = exit;
        if (code === LEFT || wasMet(met, place, atMs, SOON_MS)) return [];
        if (code === OVER) return met.some((each) => each.fromMs <= atMs) ? [] : [`${said(exit)} before any fault`];
        const starting = nodes.some((each) => each.place === place && each.atMs < atMs && atMs - each.atMs <= STARTING_MS);
        const broken = met.some((each) => each.fromMs <= atMs && atMs <= each.untilMs + STARTING_MS);
        return code !== null && starting && broken ? [] : [`${said(exit)} by itself`];
      }),
    ),
    ...servers
      .filter(({ place, atMs }) => !met.some((each) => each.place === place && each.fromMs <= atMs && atMs <= each.untilMs + SOON_MS))
      .map((exit): Verdict => ({ verdict: 'unknown', reason: `${said(exit)}, and nobody had asked it to` })),
  ]);
}

const said = ({ place, atMs, code, signal }: Exit): string =>
  `${place} ended with ${code === null ? signal : code} at ${atMs.toFixed(0)} ms`;
