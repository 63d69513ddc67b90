import { NexaError } from '../errors.ts';
import { type Address, describeAddress, REPLY_PATH } from './address.ts';
import type { Cell } from './cell/cell.ts';
import { AskMail } from './envelope.ts';
import { type LiveRef, rebindAnswer } from './live-ref.ts';
import type { AskOptions } from './ref.ts';
import type { System } from './system.ts';

const LONGEST_CHAIN = 16;
/** 24 days; longer work is a message with a reply of its own. */
const LONGEST_TIMEOUT_MS = 2_073_600_000;

/** One question and its one outcome (M3). Rejects with a NexaError and nothing else. */
export function ask(system: System, ref: LiveRef, message: unknown, options: AskOptions): Promise<unknown> {
  const { timeoutMs, signal, requestId, traceparent } = options ?? {};
  if (!(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
    return refused('invalid-message', 'an ask has a timeoutMs above 0 and at most 24 days', ref);
  }
  if (requestId !== undefined && !(typeof requestId === 'string' && requestId.length > 0 && Buffer.byteLength(requestId) <= 64)) {
    return refused('invalid-message', 'a requestId has 1 to 64 bytes', ref);
  }
  if (signal?.aborted === true) return refused('cancelled', 'the ask was given up before it was sent', ref, true);

  if (system.over) return refused('unavailable', 'the actor system was stopped', ref, true);
  const sender = ref.sender();
  if (sender !== undefined && sender.state === 'stopped')
    return refused('context-misused', 'this actor is over and asks nobody any more', ref);
  const now = system.clock.monotonicMs();
  let budgetMs: number;
  let chain: readonly string[] | undefined;
  try {
    budgetMs = Math.min(timeoutMs, leftOf(sender, now, ref.address));
    chain = chainOf(sender, ref.address);
  } catch (error) {
    return Promise.reject(asError(error));
  }
  return new Promise((resolve, reject) => {
    const deadlineMs = now + budgetMs;
    const pending = system.asks.open(
      ref.address,
      deadlineMs,
      (outcome) => {
        if (!outcome.ok) return reject(outcome.error);
        try {
          resolve(rebindAnswer(outcome.value, sender));
        } catch (error) {
          reject(asError(error));
        }
      },
      signal,
    );
    if (pending === undefined) {
      reject(new NexaError('overloaded', 'too many asks of this node wait for an answer', { where: { to: describeAddress(ref.address) } }));
      return;
    }
    const replyTo = {
      kind: 'incarnation',
      node: system.node,
      nodeIncarnation: system.incarnation,
      path: REPLY_PATH,
      uid: pending.id,
    } as const;
    const mail = new AskMail(
      {
        to: ref.address,
        message,
        replyTo,
        from: sender?.shown,
        epoch: sender?.gate?.epoch,
        chain,
        requestId,
        budgetMs,
        traceparent: traceparent ?? (sender?.inTurn === true ? sender.mail?.traceparent : undefined),
      },
      deadlineMs,
    );
    const send = () => {
      try {
        return ref.route(mail);
      } catch (error) {
        system.asks.settle(pending.id, { ok: false, error: asError(error) });
        return false;
      }
    };
    if (sender?.guarded === true) sender.act(mail, send);
    else send();
  });
}

/** What the message being handled leaves for whatever is asked meanwhile. @throws NexaError `ask-timeout` */
export function leftOf(sender: Cell | undefined, nowMs: number, to: Address): number {
  if (sender?.inTurn !== true) return Number.POSITIVE_INFINITY;
  const left = (sender.mail?.deadlineMs ?? Number.POSITIVE_INFINITY) - nowMs;
  if (left > 0) return left;
  throw new NexaError('ask-timeout', 'the ask that is being handled has no time left', {
    where: { to: describeAddress(to) },
    definite: true,
  });
}
/** The turns that wait for what is asked now. @throws NexaError `ask-cycle` */
export function chainOf(sender: Cell | undefined, to: Address): readonly string[] | undefined {
  if (sender?.inTurn !== true) return undefined;
  const outer = sender.mail?.chain;
  if (outer === undefined) return [sender.turnId];
  if (outer.length < LONGEST_CHAIN) return [...outer, sender.turnId];
  throw new NexaError('ask-cycle', `more than ${LONGEST_CHAIN} asks wait for each other`, { where: { to: describeAddress(to) } });
}

const asError = (error: unknown): NexaError =>
  error instanceof NexaError ? error : new NexaError('internal', error instanceof Error ? error.message : String(error), { cause: error });

function refused(code: ConstructorParameters<typeof NexaError>[0], message: string, ref: LiveRef, definite?: boolean): Promise<never> {
  return Promise.reject(
    new NexaError(code, message, { where: { to: describeAddress(ref.address) }, ...(definite === undefined ? {} : { definite }) }),
  );
}
