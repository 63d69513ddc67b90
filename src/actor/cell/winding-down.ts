import type { Cell } from './cell.ts';
import { take } from './turn.ts';
import { endLinks } from './watching.ts';

/** How far the end of an incarnation has come: its children first, then its own last signal, then it is over. */
export interface WindDown {
  phase: 'children' | 'signal' | 'over';
  /** Still to be stopped, in start order; what stops them takes from the end. */
  readonly children: Cell[];
}

/** Stopping: no further message is handled; what waits is refused now, whoever watches is told at the end (L1). */
export function beginStop(cell: Cell): void {
  cell.state = 'stopping';
  cell.winding ??= { phase: 'children', children: childrenOf(cell) };
  for (const mail of cell.mailbox.drain(cell)) {
    if (mail.guard === undefined) cell.system.nobodyTook(mail, 'stopped');
    else mail.guard.lost?.(mail);
  }
}

/** Restarting, first half: as stopping, but mailbox, place and address stay. */
export function beginHalt(cell: Cell): void {
  cell.state = 'restarting';
  cell.winding = { phase: 'children', children: childrenOf(cell) };
}

/** One step further; called again after each thing it had to wait for. */
export function windDown(cell: Cell): void {
  const winding = cell.winding as WindDown;
  if (winding.phase === 'children') {
    if (!stopChildren(cell, winding)) return;
    winding.phase = 'signal';
    const { behavior, context } = cell;
    if (behavior?.signal !== undefined && context !== undefined) {
      const signal = cell.passivating ? 'passivating' : cell.state === 'stopping' ? 'stopping' : 'restarting';
      take(cell, () => behavior.signal?.(context, { signal }));
      if (cell.busy) return;
    }
  }
  if (winding.phase === 'signal') {
    winding.phase = 'over';
    cell.context?.end();
    cell.context = undefined;
    cell.behavior = undefined;
  }
  if (cell.state === 'stopping') finish(cell);
  else cell.group?.halted(cell);
}

/** True when none is left. Independent children stop together; those that share their fate one by one, the last started first. */
function stopChildren(cell: Cell, winding: WindDown): boolean {
  if (cell.children === undefined || cell.children.size === 0) return true;
  const together = cell.strategy.scope === 'one';
  for (let child = winding.children.at(-1); child !== undefined; child = winding.children.at(-1)) {
    if (child.state === 'stopped') {
      winding.children.pop();
      continue;
    }
    child.requestStop();
    if (!together) return false;
    winding.children.pop();
  }
  return false;
}

function finish(cell: Cell): void {
  cell.state = 'stopped';
  // What came by a way that does not ask whether the cell still takes messages.
  for (const mail of cell.mailbox.drain(cell)) {
    if (mail.guard === undefined) cell.system.nobodyTook(mail, 'stopped');
    else mail.guard.lost?.(mail);
  }
  cell.handle.remove();
  cell.parent?.children?.delete(cell.name);
  cell.system.ended(cell);
  endLinks(cell);
  cell.group?.gone(cell);
  cell.group = undefined;
  if (cell.parent?.winding !== undefined) cell.parent.call();
}

const childrenOf = (cell: Cell): Cell[] => (cell.children === undefined ? [] : [...cell.children.values()]);
