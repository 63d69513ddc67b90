import { NexaError } from '../errors.ts';
import { type Address, describeAddress } from './address.ts';
import { leftOf } from './ask.ts';
import type { LiveRef } from './live-ref.ts';
import { estimateBytes } from './size.ts';
import type { System } from './system.ts';

export interface TellDurablyOptions {
  /** Until it is stored: above 0, at most 600,000. */
  readonly timeoutMs: number;
  /** By which a repeat is known: 1 … 64 visible ASCII characters. Default: a fresh one. */
  readonly messageId?: string;
}
/** Stores messages for named agents; the cluster installs it. Settles within the deadline. */
export type DurableTells = (
  to: Extract<Address, { kind: 'agent' }>,
  message: unknown,
  options: TellDurablyOptions & { readonly traceparent: string | undefined },
) => Promise<unknown>;

const LONGEST_TIMEOUT_MS = 600_000;

/** Through the gate of whoever sends, as everything that leaves an agent. Rejects with a NexaError and nothing else. */
export function tellDurably(system: System, ref: LiveRef, message: unknown, options: TellDurablyOptions): Promise<void> {
  const to = ref.address;
  const where = { to: describeAddress(to) };
  const refuse = (error: NexaError): Promise<never> => Promise.reject(error);
  const store = system.durableTells;
  if (!(typeof options?.timeoutMs === 'number' && options.timeoutMs > 0 && options.timeoutMs <= LONGEST_TIMEOUT_MS))
    return refuse(
      new NexaError('invalid-message', `a durable message has a timeoutMs above 0 and at most ${LONGEST_TIMEOUT_MS}`, { where }),
    );
  if (to.kind !== 'agent' || store === undefined) {
    const fix = 'Use the ref of a named agent, on a node or a client.';
    return refuse(new NexaError('unavailable', 'there is no durable mailbox there', { where, fix, retryable: false }));
  }
  if (system.over) return refuse(new NexaError('unavailable', 'the actor system was stopped', { where, definite: true }));
  const sender = ref.sender();
  if (sender?.state === 'stopped')
    return refuse(new NexaError('context-misused', 'this actor is over and sends nothing any more', { where }));
  const { clock } = system;
  const sinceMs = clock.monotonicMs();
  let timeoutMs: number;
  try {
    timeoutMs = Math.min(options.timeoutMs, leftOf(sender, sinceMs, to));
  } catch (thrown) {
    return refuse(thrown as NexaError);
  }
  const traceparent = sender?.inTurn === true ? sender.mail?.traceparent : undefined;
  const send = (): Promise<unknown> =>
    store(to, message, { ...options, timeoutMs: timeoutMs - (clock.monotonicMs() - sinceMs), traceparent });
  const gate = sender?.gate;
  if (gate === undefined || gate.open()) return send().then(() => undefined);
  return new Promise((resolve, reject) => {
    let waits = true;
    const settle = (error: NexaError): void => {
      waits = false;
      reject(error);
    };
    const expired = (): void =>
      settle(new NexaError('ask-timeout', 'its sender had no lease until the deadline', { where, definite: true }));
    const cancel = clock.after(timeoutMs, () => waits && expired());
    const effect = (): void => {
      if (!waits) return;
      waits = false;
      cancel();
      send().then(() => resolve(), reject);
    };
    const dropped = (): void => settle(new NexaError('fenced', 'this activation may no longer act', { where, definite: true }));
    if (!gate.hold(effect, dropped, estimateBytes(message))) dropped();
  });
}
