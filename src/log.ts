import { pino } from 'pino';
import { NexaError } from './errors.ts';
import { hideLogins } from './ports/hide-logins.ts';
import type { Logger } from './ports/logger.ts';

/** Never shown, whatever logs it. */
const REDACT = ['*.password', '*.token', '*.secret', '*.credentials', 'password', 'token', 'secret', 'credentials'];

/**
 * What is said of an error. Without this pino's redaction copies it, and a copy has lost its message. The stack is that of what others threw:
 * a NexaError by itself says what and where.
 */
function shownError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const foreign = thrown instanceof NexaError ? thrown.cause : thrown;
  const stack = foreign instanceof Error ? { stack: foreign.stack } : {};
  return thrown instanceof NexaError ? { ...thrown.toJSON(), ...stack } : { name: thrown.name, message: thrown.message, ...stack };
}

const LEVELS = ['silent', 'debug', 'info', 'warn', 'error'];

/**
 * JSON lines on standard error, so that standard output stays the command's answer. `level`: silent, debug, info, warn, error.
 * @throws NexaError `invalid-message` for any other.
 */
export function jsonLog(options: { readonly level: string; readonly fields?: Readonly<Record<string, string>> }): Logger {
  if (!LEVELS.includes(options.level)) {
    throw new NexaError('invalid-message', `there is no log level ${JSON.stringify(options.level)}`, {
      fix: `Set NEXA_LOG to one of: ${LEVELS.join(', ')}.`,
    });
  }
  return pino(
    {
      ...{ level: options.level, base: { ...options.fields }, redact: REDACT, timestamp: pino.stdTimeFunctions.isoTime },
      serializers: { error: shownError },
      // Also of what others put into the text of an error.
      hooks: { streamWrite: hideLogins },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
