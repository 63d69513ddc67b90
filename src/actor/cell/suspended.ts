import { NexaError } from '../../errors.ts';
import type { Address } from '../address.ts';
import { FATE } from '../envelope.ts';
import type { Outcome } from '../signal.ts';
import type { Cell } from './cell.ts';
import { crashesOf } from './crashes.ts';
import { childFailed } from './supervision.ts';
import { errorOf } from './user-code.ts';

/** User code threw or rejected: the message it handled is lost, and the parent decides about the rest (L2). */
export function crash(cell: Cell, thrown: unknown): void {
  const error = errorOf(thrown, cell.where);
  lose(cell, error);
  if (cell.wantsStop || cell.wantsHalt || cell.winding !== undefined) {
    cell.system.log.warn({ ...cell.where, error }, 'failed while it was being stopped or restarted');
    return;
  }
  suspend(cell, error, undefined);
}

/** Suspended: no turn is taken until the parent has decided. `culprit` is the child whose failure this was at first. */
export function suspend(cell: Cell, error: NexaError, culprit: Cell | undefined): void {
  cell.state = 'suspended';
  const crashes = crashesOf(cell);
  crashes.lastError = error;
  crashes.failedAtMs = cell.system.clock.wallMs();
  crashes.culprit = culprit;
  if (cell.parent === undefined) cell.system.fail(error);
  else childFailed(cell.parent, cell, error);
}

/** The current message is over without having been handled: a dead letter, and its asker hears `crashed`. */
export function lose(cell: Cell, error: NexaError): void {
  const mail = cell.current;
  cell.mail = undefined;
  cell.handed = undefined;
  cell.selfAsked = undefined;
  if (mail === undefined) return;
  if (mail.fate === FATE.stashed) cell.mailbox.unstash(mail);
  cell.system.deadLetter(mail, 'crashed', error);
  if (mail.replyTo !== undefined && mail.fate !== FATE.replied) {
    answerSafely(cell, mail.replyTo, { ok: false, error: new NexaError('crashed', error.message, { where: cell.where, cause: error }) });
  }
}

/** Answers where nobody is left to hear that it could not be sent. */
export function answerSafely(cell: Cell, replyTo: Address, outcome: Outcome<unknown>): void {
  try {
    cell.answer(replyTo, outcome);
  } catch (error) {
    cell.system.log.warn({ ...cell.where, error }, 'an answer could not be sent');
  }
}
