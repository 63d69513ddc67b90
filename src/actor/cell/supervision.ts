import type { NexaError } from '../../errors.ts';
import { backoffMs, type Directive, type Strategy } from '../strategy.ts';
import type { Cell } from './cell.ts';
import { crashesOf } from './crashes.ts';
import { RestartGroup } from './restart-group.ts';

/**
 * A child is suspended with an error: its parent's strategy says what becomes of it. Strategies are data, so this needs no turn
 * of the parent and does not wait for one.
 */
export function childFailed(parent: Cell, child: Cell, error: NexaError): void {
  // Its parent is ending, and the child with it.
  if (parent.wantsStop || parent.winding !== undefined) return;
  const { strategy } = parent;
  let directive = decide(strategy, child, error);
  if (directive === 'resume' && child.behavior === undefined) directive = 'restart';
  switch (directive) {
    case 'resume':
      resume(child);
      return;
    case 'stop':
      for (const member of membersOf(parent, child).reverse()) member.requestStop(member === child ? 'failed' : 'stopped');
      return;
    case 'restart': {
      const delayMs = admit(parent, child);
      if (delayMs === undefined) giveUp(parent, child, error);
      else new RestartGroup(membersOf(parent, child), error, delayMs).haltNext();
      return;
    }
    case 'escalate':
      giveUp(parent, child, error);
  }
}

/** Goes on as if nothing had happened; when the failure had come from a child, that goes on too. */
function resume(cell: Cell): void {
  const crashes = crashesOf(cell);
  const { culprit } = crashes;
  cell.state = 'running';
  crashes.culprit = undefined;
  cell.group?.started(cell);
  cell.wake();
  if (culprit === undefined || culprit.state !== 'suspended' || culprit.wantsStop) return;
  if (culprit.behavior === undefined) new RestartGroup(membersOf(cell, culprit), culprit.crashes?.lastError as NexaError, 0).haltNext();
  else resume(culprit);
}

function decide(strategy: Strategy, child: Cell, error: NexaError): Directive {
  try {
    const directive = strategy.decide(error);
    if (directive === 'resume' || directive === 'restart' || directive === 'stop' || directive === 'escalate') return directive;
    child.system.log.error({ ...child.where, directive: String(directive) }, 'a strategy decided something that does not exist: escalated');
  } catch (thrown) {
    child.system.log.error({ ...child.where, error: thrown }, 'a strategy threw while it decided: escalated');
  }
  return 'escalate';
}

function giveUp(parent: Cell, child: Cell, error: NexaError): void {
  const { options } = child;
  if (options?.onGiveUp === undefined) {
    parent.fail(error, child);
    return;
  }
  child.requestStop('failed');
  try {
    options.onGiveUp(error);
  } catch (thrown) {
    child.system.log.error({ ...child.where, error: thrown }, 'giving an actor up threw');
  }
}

/** Restarts that count for the back-off where their number has no bound. */
const MOST_COUNTED = 64;

/** The wait before this restart, or undefined past the intensity. */
function admit(parent: Cell, child: Cell): number | undefined {
  const { strategy, system } = parent;
  const lately = crashesOf(strategy.scope === 'one' ? child : parent).restartedAtMs;
  const now = system.clock.monotonicMs();
  const recent = lately.findIndex((atMs) => now - atMs < strategy.withinMs);
  lately.splice(0, recent < 0 ? lately.length : recent);
  if (lately.length >= strategy.maxRestarts) return undefined;
  lately.push(now);
  // Without a bound on restarts the count only sets the back-off.
  if (strategy.maxRestarts === Number.POSITIVE_INFINITY && lately.length > MOST_COUNTED) lately.shift();
  return backoffMs(strategy.backoff, lately.length, system.random.next());
}

function membersOf(parent: Cell, child: Cell): Cell[] {
  if (parent.strategy.scope === 'one') return [child];
  const all = [...(parent.children?.values() ?? [])].filter((member) => !member.wantsStop);
  return parent.strategy.scope === 'all' ? all : all.slice(all.indexOf(child));
}
