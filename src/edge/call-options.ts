import { WIDEST_WINDOW } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import type { Random } from '../ports/random.ts';
import type { CallOptions } from './handlers.ts';

export const HEADERS = { timeout: 'Nexa-Timeout-Ms', requestId: 'Nexa-Request-Id', window: 'Nexa-Window', trace: 'traceparent' } as const;
/** On the first answer of a stream: where its reader says how far it is. */
export const FLOW_HEADER = 'Nexa-Flow';
export const DEFAULT_TIMEOUT_MS = 5_000;
export const LONGEST_TIMEOUT_MS = 600_000;

const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;
const TRACE = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The headers of a public message, their names in any case. A trace context that is none is left out, as its specification
 * wants; the others are refused. @throws NexaError `invalid-message`
 */
export function callOptions(headers: ReadonlyMap<string, string>): CallOptions {
  const said: { timeout?: string; requestId?: string; window?: string; trace?: string } = {};
  if (headers.size > 0) {
    for (const [name, value] of headers) {
      for (const key of ['timeout', 'requestId', 'window', 'trace'] as const)
        if (name.toLowerCase() === HEADERS[key].toLowerCase()) said[key] = value;
    }
  }
  const timeoutMs = said.timeout === undefined ? DEFAULT_TIMEOUT_MS : /^\d{1,6}$/.test(said.timeout) ? Number(said.timeout) : 0;
  if (timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) {
    throw new NexaError('invalid-message', `${HEADERS.timeout} is to be an integer from 1 to ${LONGEST_TIMEOUT_MS}`, {
      where: { header: HEADERS.timeout },
    });
  }
  if (said.requestId !== undefined && !REQUEST_ID.test(said.requestId)) {
    throw new NexaError('invalid-message', `${HEADERS.requestId} is to be 1 to 64 visible ASCII characters`, {
      where: { header: HEADERS.requestId },
    });
  }
  if (said.window !== undefined && !(/^\d{1,4}$/.test(said.window) && Number(said.window) <= WIDEST_WINDOW)) {
    throw new NexaError('invalid-message', `${HEADERS.window} is to be an integer from 0 to ${WIDEST_WINDOW}`, {
      where: { header: HEADERS.window },
    });
  }
  return {
    timeoutMs,
    ...(said.window === undefined ? {} : { window: Number(said.window) }),
    ...(said.requestId === undefined ? {} : { requestId: said.requestId }),
    ...(said.trace !== undefined && TRACE.test(said.trace) ? { traceparent: said.trace } : {}),
  };
}

/** A trace of its own, for a request that is part of none: W3C trace context, version 00, sampled. */
export function freshTrace(random: Random): string {
  const digits = (count: number): string => {
    let text = '';
    for (let left = count; left > 0; left -= 8)
      text += Math.floor(random.next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    // Nothing but zeros would be no id.
    return /[^0]/.test(text) ? text : '1'.padStart(count, '0');
  };
  return `00-${digits(32)}-${digits(16)}-01`;
}
