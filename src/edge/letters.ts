import { describeAddress } from '../actor/address.ts';
import type { DeadLetter } from '../actor/dead-letters.ts';
import { shownName, shownText } from './showable.ts';

/** A dead letter as strangers may see it: everything but the body. */
export interface Letter {
  /** Counts the dead letters of its node, from 1. */
  readonly number: number;
  readonly atMs: number;
  readonly to: string;
  readonly from: string | null;
  /** Of the message. */
  readonly type: string | null;
  readonly reason: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export function letterOf({ number, atMs, envelope: { to, from, message }, reason, error }: DeadLetter): Letter {
  return {
    number,
    atMs,
    to: shownName(describeAddress(to)),
    from: from === undefined ? null : shownName(describeAddress(from)),
    type: messageType(message),
    reason,
    error: error === undefined ? null : { code: error.code, message: shownText(error.message) },
  };
}

/** The tag of whatever was sent, if it has one that is a text. */
export function messageType(message: unknown): string | null {
  try {
    const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
    return typeof type === 'string' ? shownName(type) : null;
  } catch {
    return null;
  }
}
