import { errorFrom, NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { onAbort } from '../ports/on-abort.ts';
import { type Address, describeAddress } from './address.ts';
import { type Bucket, Deadlines, type Due } from './deadlines.ts';
import type { Outcome } from './signal.ts';

/** The asks of this node that wait for their one outcome: bounded, one timer for all. */
export class AskTable {
  /** How many were ever opened. */
  opened = 0;
  private readonly pending = new Map<number, PendingAsk>();
  private readonly deadlines: Deadlines;
  private readonly limit: number;
  /** Told of an ask that was given up before it had an outcome. */
  readonly gaveUp: (id: number, to: Address) => void;

  constructor(clock: Clock, limit: number, gaveUp: (id: number, to: Address) => void = () => {}) {
    this.gaveUp = gaveUp;
    this.deadlines = new Deadlines(clock);
    this.limit = limit;
  }

  get size(): number {
    return this.pending.size;
  }

  /** A number that no ask of this node has. */
  number(): number {
    return ++this.opened;
  }
  /** Undefined: the table is full. */
  open(to: Address, deadlineMs: number, settle: (outcome: Outcome<unknown>) => void, signal?: AbortSignal): PendingAsk | undefined {
    if (this.pending.size >= this.limit) return undefined;
    const ask = new PendingAsk(this, this.number(), to, deadlineMs, settle);
    this.pending.set(ask.id, ask);
    this.deadlines.add(ask);
    if (signal !== undefined) ask.cancelledBy(signal);
    return ask;
  }

  waits(id: number): boolean {
    return this.pending.has(id);
  }

  /** False: nobody waits for it (any more). */
  settle(id: number, outcome: Outcome<unknown>): boolean {
    const ask = this.pending.get(id);
    if (ask === undefined) return false;
    this.pending.delete(id);
    this.deadlines.remove(ask);
    ask.close(outcome);
    return true;
  }

  /** Ends the asks whose target `where` picks; answers how many. */
  failWhere(where: (to: Address) => boolean, error: NexaError): number {
    let failed = 0;
    for (const ask of [...this.pending.values()]) if (where(ask.to) && this.settle(ask.id, { ok: false, error })) failed++;
    return failed;
  }

  close(error: NexaError): void {
    this.failWhere(() => true, error);
    this.deadlines.clear();
  }
}

/** One ask that waits. */
class PendingAsk implements Due {
  readonly id: number;
  readonly to: Address;
  readonly deadlineMs: number;
  bucket: Bucket | undefined = undefined;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  private readonly table: AskTable;
  private readonly done: (outcome: Outcome<unknown>) => void;
  private forget: (() => void) | undefined = undefined;

  constructor(table: AskTable, id: number, to: Address, deadlineMs: number, done: (outcome: Outcome<unknown>) => void) {
    this.table = table;
    this.id = id;
    this.to = to;
    this.deadlineMs = deadlineMs;
    this.done = done;
  }

  expire(): void {
    this.fail(new NexaError('ask-timeout', 'no answer within the deadline', { where: { to: describeAddress(this.to) } }));
  }

  cancelledBy(signal: AbortSignal): void {
    this.forget = onAbort(signal, () => {
      this.fail(new NexaError('cancelled', 'the ask was given up', { where: { to: describeAddress(this.to) }, cause: signal.reason }));
      this.table.gaveUp(this.id, this.to);
    });
  }

  close(outcome: Outcome<unknown>): void {
    this.forget?.();
    this.done(outcome);
  }

  private fail(error: NexaError): void {
    this.table.settle(this.id, { ok: false, error });
  }
}

export type { PendingAsk };

/** What arrived as the answer of an ask; anything but an outcome is a typed error. */
export function asOutcome(answer: unknown): Outcome<unknown> {
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
    if (answer.ok === true) return { ok: true, value: 'value' in answer ? answer.value : undefined };
    if (answer.ok === false && 'error' in answer) {
      return { ok: false, error: answer.error instanceof NexaError ? answer.error : errorFrom(answer.error) };
    }
  }
  return { ok: false, error: new NexaError('invalid-message', 'the answer has not the form of an outcome', { definite: false }) };
}
