import { NexaError } from '../../errors.ts';
import type { Cell } from './cell.ts';
import { CellContext } from './cell-context.ts';
import { take } from './turn.ts';

/** Starting: one turn that makes the behaviour and tells it `started`; then it runs. Comes back when an asynchronous one has settled. */
export function start(cell: Cell): void {
  if (cell.context === undefined) {
    if (cell.gate !== undefined && !cell.gate.open()) return;
    const context = new CellContext(cell);
    cell.context = context;
    take(cell, () => {
      const behavior = cell.props.behavior(context);
      if (typeof behavior?.receive !== 'function') {
        throw new NexaError('invalid-definition', 'props.behavior returned no behaviour', {
          where: cell.where,
          fix: 'Return receive(…); load what takes time in the started signal.',
        });
      }
      cell.behavior = behavior;
      return behavior.signal?.(context, { signal: 'started' });
    });
  }
  if (cell.busy || cell.state !== 'starting') return;
  cell.state = 'running';
  cell.context?.beIdleAware();
  if (cell.restarts > 0) cell.system.log.info({ actor: cell.path, restarts: cell.restarts }, 'restarted');
  cell.group?.started(cell);
}
