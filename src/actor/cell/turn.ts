import { NexaError } from '../../errors.ts';
import type { Address } from '../address.ts';
import { ambient } from '../ambient.ts';
import { type Behavior, stopped } from '../behavior.ts';
import { FATE, type Mail, NOTHING } from '../envelope.ts';
import { rebind } from '../live-ref.ts';
import { MAIL } from '../mailbox.ts';
import type { Cell, Task } from './cell.ts';
import type { CellContext } from './cell-context.ts';
import { answerSafely, crash, lose } from './suspended.ts';
import { promiseOf, typeOf } from './user-code.ts';
import type { Links } from './watching.ts';

/** Running: signals first, then messages, until one holds the actor or something else asks for attention. Answers how many. */
export function takeMessages(cell: Cell, limit: number): number {
  const { mailbox } = cell;
  let taken = 0;
  while (taken < limit && !cell.busy && !cell.attention && cell.state === 'running') {
    if (cell.links?.arrived !== undefined) takeSignal(cell, cell.links);
    else if (mailbox.size === 0) break;
    else {
      const from = mailbox.nextFrom;
      const item = mailbox.shift();
      if (from === MAIL) receive(cell, item as Mail);
      else receiveTold(cell, item, from);
    }
    taken++;
  }
  if (taken > 0) {
    cell.context?.idle?.touched();
    cell.system.counters.turns += taken;
    cell.usedAt = cell.system.counters.turns;
  }
  return taken;
}

function receive(cell: Cell, mail: Mail): void {
  if (mail.guard !== undefined && !mail.guard.take()) return;
  if (mail.replyTo !== undefined && !cell.system.stillWanted(mail)) return;
  cell.mail = mail;
  handle(cell, mail.message);
}
function receiveTold(cell: Cell, message: unknown, from: Address | undefined): void {
  cell.told = message;
  cell.toldBy = from;
  handle(cell, message);
}

/** A turn for a message. Apart from {@link take} because there are so many of them. */
function handle(cell: Cell, message: unknown): void {
  cell.turns++;
  const begunMs = begin(cell);
  let next: unknown;
  let settling: Promise<unknown> | undefined;
  ambient.cell = cell;
  try {
    const handed = rebind(message, cell);
    if (handed !== message) cell.handed = handed;
    next = (cell.behavior as Behavior<unknown>).receive(cell.context as CellContext, handed);
    if (next !== undefined) settling = promiseOf(next);
  } catch (error) {
    ambient.cell = undefined;
    letGo(cell, begunMs);
    crash(cell, error);
    return;
  }
  ambient.cell = undefined;
  if (settling !== undefined) return hold(cell, settling, begunMs);
  letGo(cell, begunMs);
  finish(cell, next);
}

/** A turn for any other piece of user code. */
export function take(cell: Cell, code: () => unknown): void {
  cell.turns++;
  const begunMs = begin(cell);
  let next: unknown;
  let settling: Promise<unknown> | undefined;
  ambient.cell = cell;
  try {
    next = code();
    if (next !== undefined) settling = promiseOf(next);
  } catch (error) {
    ambient.cell = undefined;
    letGo(cell, begunMs);
    crash(cell, error);
    return;
  }
  ambient.cell = undefined;
  if (settling !== undefined) return hold(cell, settling, begunMs);
  letGo(cell, begunMs);
  finish(cell, next);
}

/** A look at the clock costs as much as a small message: only who was given a time of its own is timed while it holds the event loop. */
const begin = (cell: Cell): number | undefined => (cell.options?.handlerMs === undefined ? undefined : cell.system.clock.monotonicMs());
const letGo = (cell: Cell, begunMs: number | undefined): void => {
  if (begunMs !== undefined) cell.system.overtime.held(cell, typeOf(cell.message), cell.system.clock.monotonicMs() - begunMs);
};

export function takeTask(cell: Cell, tasks: Task[]): void {
  const task = tasks.shift();
  if (tasks.length === 0) cell.tasks = undefined;
  if (task !== undefined) take(cell, () => task(cell.context as CellContext));
}

function takeSignal(cell: Cell, links: Links): void {
  const arrived = links.arrived?.shift();
  if (links.arrived?.length === 0) links.arrived = undefined;
  if (arrived === undefined) return;
  if ('message' in arrived) {
    receiveTold(cell, arrived.message, undefined);
    return;
  }
  const behavior = cell.behavior as Behavior<unknown>;
  if (behavior.signal !== undefined) take(cell, () => behavior.signal?.(cell.context as CellContext, arrived));
}

/** The handler is asynchronous: it holds the actor until it settles. */
function hold(cell: Cell, settling: Promise<unknown>, begunMs: number | undefined): void {
  cell.busy = true;
  const token = ++cell.token;
  cell.system.overtime.waits(cell, begunMs);
  settling.then(
    (next) => {
      if (!settled(cell, token)) return;
      finish(cell, next);
      cell.wake();
    },
    (error) => {
      if (settled(cell, token)) {
        crash(cell, error);
        cell.wake();
      } else cell.system.log.debug({ ...cell.where, error }, 'a handler that had been abandoned failed');
    },
  );
  if (cell.selfAsked !== undefined) {
    for (const mail of cell.selfAsked) refuseCycle(cell, mail);
    cell.selfAsked = undefined;
  }
  if (cell.wantsStop || cell.wantsHalt) losePatience(cell);
}

/** False: it was abandoned. */
function settled(cell: Cell, token: number): boolean {
  if (token !== cell.token) return false;
  cell.busy = false;
  cell.impatient?.();
  cell.impatient = undefined;
  cell.system.overtime.done(cell);
  // Whatever is not plainly running has a next step to take.
  if (cell.state !== 'running') cell.attention = true;
  return true;
}

export function refuseCycle(cell: Cell, mail: Mail): void {
  cell.system.refuse(mail, new NexaError('ask-cycle', 'this actor itself waits for the answer of this ask', { where: cell.where }));
}

/** The turn is over and what it returned says what the actor is from now on. */
function finish(cell: Cell, next: unknown): void {
  if (next !== undefined && next !== stopped && !isBehavior(next)) {
    const error = new NexaError('invalid-definition', 'a handler returned something that is no behaviour', {
      where: cell.where,
      fix: 'Return a behaviour, stopped or nothing.',
    });
    crash(cell, error);
    return;
  }
  const mail = cell.mail;
  if (mail !== undefined) {
    if (mail.replyTo !== undefined && mail.fate === FATE.open) answerSafely(cell, mail.replyTo, { ok: true, value: undefined });
    cell.mail = undefined;
  }
  cell.told = NOTHING;
  if (cell.handed !== undefined) cell.handed = undefined;
  if (cell.selfAsked !== undefined) cell.selfAsked = undefined;
  if (next === undefined || cell.winding !== undefined) return;
  if (next === stopped) cell.requestStop();
  else cell.behavior = next as Behavior<unknown>;
}

function isBehavior(value: unknown): boolean {
  try {
    return typeof value === 'object' && value !== null && typeof (value as Behavior<unknown>).receive === 'function';
  } catch {
    return false;
  }
}

/** What holds the actor up may do so for a while, not for ever. */
export function losePatience(cell: Cell): void {
  cell.impatient ??= cell.system.clock.after(cell.options?.stopTimeoutMs ?? cell.system.stopTimeoutMs, () => abandon(cell));
}
/** The handler goes on somewhere, but no longer as this actor. */
function abandon(cell: Cell): void {
  cell.impatient = undefined;
  if (!cell.busy) return;
  cell.token++;
  cell.busy = false;
  cell.system.overtime.forget(cell);
  lose(cell, new NexaError('crashed', 'the handler did not settle in time and was abandoned', { where: cell.where }));
  cell.system.log.warn(cell.where, 'a handler did not settle in time and was abandoned');
  cell.context = cell.context?.succeeded();
  cell.call();
}
