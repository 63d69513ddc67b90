import type { Cell } from './cell/cell.ts';

/** The cell whose turn is running on this thread right now; between turns and after an await, none. */
export const ambient: { cell: Cell | undefined } = { cell: undefined };
