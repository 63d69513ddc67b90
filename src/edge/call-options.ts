import { NexaError } from '../errors.ts';
import type { CallOptions } from './handlers.ts';

export const HEADERS = { timeout: 'Nexa-Timeout-Ms', requestId: 'Nexa-Request-Id', trace: 'traceparent' } as const;
export const DEFAULT_TIMEOUT_MS = 5_000;
export const LONGEST_TIMEOUT_MS = 600_000;

const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;
const TRACE = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The headers of a public message, their names in any case. A trace context that is none is left out, as its specification
 * wants; the others are refused. @throws NexaError `invalid-message`
 */
export function callOptions(headers: ReadonlyMap<string, string>): CallOptions {
  const said: { timeout?: string; requestId?: string; trace?: string } = {};
  if (headers.size > 0) {
    for (const [name, value] of headers) {
      for (const key of ['timeout', 'requestId', 'trace'] as const)
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
  return {
    timeoutMs,
    ...(said.requestId === undefined ? {} : { requestId: said.requestId }),
    ...(said.trace !== undefined && TRACE.test(said.trace) ? { traceparent: said.trace } : {}),
  };
}
