import { describeAddress } from './address.ts';
import type { Cell, CellState } from './cell/cell.ts';

/** One live actor as operators see it. */
export interface CellSnapshot {
  readonly name: string;
  /** What it is reached by: a named agent shows its name. */
  readonly address: string;
  readonly state: CellState;
  /** Messages that wait, stashed ones included. */
  readonly mailbox: number;
  readonly handled: number;
  readonly restarts: number;
  /** Of the latest failure. */
  readonly lastReason?: string;
  readonly children: readonly CellSnapshot[];
}

export function snapshotOf(cell: Cell, budget: { left: number }): CellSnapshot {
  budget.left--;
  const children: CellSnapshot[] = [];
  if (cell.children !== undefined) {
    for (const child of cell.children.values()) {
      if (budget.left <= 0) break;
      children.push(snapshotOf(child, budget));
    }
  }
  const lastError = cell.crashes?.lastError;
  return {
    name: cell.name,
    address: describeAddress(cell.shown),
    state: cell.state,
    mailbox: cell.mailbox.size + cell.mailbox.stashed,
    handled: cell.turns,
    restarts: cell.restarts,
    ...(lastError === undefined ? {} : { lastReason: `${lastError.code}: ${lastError.message}` }),
    children,
  };
}
