import type { NodeId } from '../actor/address.ts';
import { merged } from './merged.ts';

/** Why an agent came to a node: what `nexa why` and the event `moved` show. */
export const MOVE_CAUSES = ['spawn', 'crash', 'lease', 'left', 'drain', 'rebalance', 'failed-start', 'reclaimed'] as const;
export type MoveCause = (typeof MOVE_CAUSES)[number];

/** One stretch of an agent's life on one node incarnation. */
export interface Move {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly cause: MoveCause;
  /** One sentence. */
  readonly why: string;
  /** Unix milliseconds by the clock of the node that took it: for people, nothing is decided by it. */
  readonly atMs: number;
  /** Undefined while it lasts: then it is the revision of the record. */
  readonly epoch: number | undefined;
}

/** Stretches kept in an agent's record; the oldest go first. */
const MOVES = 16;

/** The next stretch; the one before ended with the given epoch. A new claim of the same incarnation goes on with its stretch. */
export function moved(moves: readonly Move[], lastEpoch: number | undefined, next: Omit<Move, 'epoch'>): readonly Move[] {
  const last = moves.at(-1);
  if (last?.node === next.node && last.incarnation === next.incarnation) return moves;
  return [...ended(moves, lastEpoch), merged(next, { epoch: undefined })];
}
/** The last stretch with its epoch, once it is over. */
export const ended = (moves: readonly Move[], epoch: number | undefined): readonly Move[] =>
  moves.map((move, index) => (index === moves.length - 1 && move.epoch === undefined ? { ...move, epoch } : move));

export const encodeMoves = (moves: readonly Move[]): readonly unknown[] =>
  moves.slice(-MOVES).map(({ node, incarnation, cause, why, atMs, epoch }) => [node, incarnation, cause, why, atMs, epoch ?? null]);

/** What does not fit is left out: a history is no reason to refuse a record. */
export const decodeMoves = (fields: unknown): readonly Move[] =>
  Array.isArray(fields)
    ? fields.slice(-MOVES).flatMap((field): Move[] => {
        if (!Array.isArray(field)) return [];
        const [node, incarnation, cause, why, atMs, epoch] = field;
        return [
          {
            node: String(node),
            incarnation: Number(incarnation),
            cause: causeOf(cause),
            why: String(why),
            atMs: Number(atMs),
            epoch: typeof epoch === 'number' ? epoch : undefined,
          },
        ];
      })
    : [];

/** A newer node may know more causes. */
export const causeOf = (cause: unknown): MoveCause => MOVE_CAUSES.find((known) => known === cause) ?? 'reclaimed';
